package io.godwit.proto.fleet;

import io.godwit.proto.WireMessage;
import java.util.List;

/** FleetView's answers. */
public sealed interface FleetReply extends WireMessage {
    /** The whole fleet at one moment, sorted by name. */
    record FleetShown(List<HostView> hosts, List<VmView> vms) implements FleetReply {
        public FleetShown {
            hosts = List.copyOf(hosts);
            vms = List.copyOf(vms);
        }
    }

    /** Done and durable. */
    record FleetChanged() implements FleetReply {}

    /** Not done: why. */
    record FleetRefused(String reason) implements FleetReply {}
}
