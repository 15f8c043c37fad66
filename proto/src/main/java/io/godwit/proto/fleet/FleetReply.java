package io.godwit.proto.fleet;

import io.godwit.proto.WireMessage;
import java.util.List;

/** FleetView's answers. */
public sealed interface FleetReply extends WireMessage {
    /**
     * The whole fleet at one moment, sorted by name.
     *
     * @param partial whether hosts have yet to report to this incarnation of FleetView, or seem to: that one or a VM is not in it
     *     says nothing then
     */
    record FleetShown(List<HostView> hosts, List<VmView> vms, boolean partial) implements FleetReply {
        public FleetShown {
            hosts = List.copyOf(hosts);
            vms = List.copyOf(vms);
        }

        /** One in which every host has reported. */
        public FleetShown(List<HostView> hosts, List<VmView> vms) {
            this(hosts, vms, false);
        }
    }

    /** Done and durable. */
    record FleetChanged() implements FleetReply {}

    /** Not done: why. */
    record FleetRefused(String reason) implements FleetReply {}
}
