package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.GuestCheck;
import java.util.List;

/** A host agent's direct answer to whoever asked. */
public sealed interface HostReply extends WireMessage {
    /** Done. {@code status} is the VM as it stands now. */
    record VmChanged(VmStatus status) implements HostReply {}

    /** The VM is not on this host (any more). */
    record VmGone(String vm) implements HostReply {}

    /** Not done: what was wrong and what was expected. */
    record HostRefused(String host, String reason) implements HostReply {}

    /** The guest's and devices' own rules, checked in guest memory while the vCPUs stood still for a moment. */
    record VmChecked(String vm, GuestCheck check) implements HostReply {}

    /** The VM as it stands and what each of its devices saw, in slot order. */
    record VmDescribed(VmStatus status, List<DeviceLog> devices) implements HostReply {
        public VmDescribed {
            devices = List.copyOf(devices);
        }
    }
}
