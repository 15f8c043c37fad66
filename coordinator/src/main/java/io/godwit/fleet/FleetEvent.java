package io.godwit.fleet;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.VmSpec;

/** What the fleet must not forget when its view moves to another coordinator. */
public sealed interface FleetEvent extends WireMessage {
    /** Nothing new may be placed on {@code host}, or may again. */
    record HostCordoned(String host, boolean cordoned) implements FleetEvent {}

    /** A VM shall exist. */
    record VmRegistered(VmSpec spec) implements FleetEvent {}

    /** A VM shall not exist any more. */
    record VmDeregistered(String vm) implements FleetEvent {}
}
