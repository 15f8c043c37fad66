package io.godwit.proto.fleet;

import io.godwit.proto.WireMessage;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.vm.VmSpec;
import java.util.Map;
import org.apache.pekko.actor.typed.ActorRef;

/** What may be told to or asked of FleetView, the cluster singleton. */
public sealed interface FleetCommand extends WireMessage {
    /** A host's report; not answered. */
    record ReportHost(HostInventory inventory) implements FleetCommand {}

    /** Asks for the whole fleet. */
    record ShowFleet(ActorRef<FleetReply> replyTo) implements FleetCommand {}

    /** Nothing new may be placed on {@code host} (or may again): durable when answered. */
    record CordonHost(String host, boolean cordoned, ActorRef<FleetReply> replyTo) implements FleetCommand {}

    /** A VM shall exist from now on; refused when one of that name does. Durable when answered. */
    record RegisterVm(VmSpec spec, ActorRef<FleetReply> replyTo) implements FleetCommand {}

    /**
     * What a coordinator does about VMs that do not run, by name; shown with them until the next one, which replaces all of
     * them. Not answered.
     */
    record NoteVms(Map<String, String> notes) implements FleetCommand {
        public NoteVms {
            notes = Map.copyOf(notes);
        }
    }

    /** A VM shall not exist any more. Durable when answered. */
    record DeregisterVm(String vm, ActorRef<FleetReply> replyTo) implements FleetCommand {}
}
