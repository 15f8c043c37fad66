package io.godwit.vm;

import io.godwit.device.Device;
import io.godwit.memory.MemoryContainer;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.RunState;
import io.godwit.vm.Vm.AskLedger;
import io.godwit.vm.Vm.Asked;
import io.godwit.vm.Vm.Built;
import io.godwit.vm.Vm.Checked;
import io.godwit.vm.Vm.Closed;
import io.godwit.vm.Vm.Command;
import io.godwit.vm.Vm.LedgerSaid;
import io.godwit.vm.Vm.LookAtGuest;
import io.godwit.vm.Vm.Resumed;
import io.godwit.vm.Vm.RunStateReplied;
import io.godwit.vm.Vm.Saved;
import io.godwit.vm.Vm.StreamArrived;
import java.util.LinkedHashMap;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A VM comes into being: guest, devices and containers are made, and their actors; then it runs, or waits for its stream.
 *
 * <pre>building → starting → VmRunning;  building → Arrival;  failure → VmClosing</pre>
 */
final class VmBuilding {
    private final VmCore core;

    private VmBuilding(VmCore core) {
        this.core = core;
    }

    static Behavior<Command> toRun(VmCore core, GuestDriver driver, HostCommand.CreateVm create) {
        core.stand(RunState.PRELAUNCH, Optional.empty());
        VmBuilding building = new VmBuilding(core);
        return building.building(
                driver,
                false,
                own -> building.starting(own, create),
                error -> create.replyTo().tell(core.refusal(error)));
    }

    static Behavior<Command> toArrive(VmCore core, GuestDriver driver, HostCommand.PrepareIncoming prepare) {
        core.stand(RunState.PRELAUNCH, Optional.of(prepare.migration()));
        return new VmBuilding(core)
                .building(
                        driver,
                        true,
                        own -> core.stash.unstashAll(Arrival.begin(core, own, prepare)),
                        error -> core.report(
                                new MigrationReport.IncomingFailed(prepare.migration(), core.host.host(), error)));
    }

    private Behavior<Command> building(
            GuestDriver driver, boolean incoming, Function<VmParts, Behavior<Command>> next, Consumer<String> failed) {
        core.io(
                () -> VmBuilder.build(
                        core.host,
                        driver,
                        core.spec,
                        incoming,
                        core.context.getSystem().settings().config()),
                Built::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Built(var made, var error) -> {
                if (made == null) {
                    failed.accept(error);
                    yield core.stash.unstashAll(VmClosing.begin(core, Optional.empty(), () -> {}));
                }
                yield next.apply(adopt(made));
            }
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case RunStateReplied _, Checked _, Saved _, Resumed _, LedgerSaid _, AskLedger _, LookAtGuest _, Closed _ ->
                Behaviors.unhandled();
        });
    }

    private VmParts adopt(VmBuilder made) {
        core.built(made);
        SequencedMap<String, ActorRef<Device.Command>> devices = new LinkedHashMap<>();
        made.devices()
                .forEach((name, device) -> devices.put(
                        name,
                        core.context.spawn(Device.create(name, device, core.host.dataPlane()), "device-" + name)));
        SequencedMap<String, ActorRef<MemoryContainer.Command>> containers = new LinkedHashMap<>();
        made.containers()
                .forEach((name, space) -> containers.put(
                        name,
                        core.context.spawn(
                                MemoryContainer.create(name, space, core.host.dataPlane()), "container-" + name)));
        return new VmParts(core.spec, made.guest(), devices, containers, core.host.dataPlane(), core.host.runLog());
    }

    private Behavior<Command> starting(VmParts own, HostCommand.CreateVm create) {
        core.changeRunState(own, RunState.RUNNING);
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed _) -> {
                VmStatus status = core.stand(RunState.RUNNING, Optional.empty());
                create.replyTo().tell(new HostReply.VmChanged(status));
                yield core.stash.unstashAll(VmRunning.begin(core, own));
            }
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                create.replyTo().tell(core.refusal(reason));
                yield core.stash.unstashAll(VmClosing.begin(core, Optional.empty(), () -> {}));
            }
            case Asked asked -> core.later(asked);
            case StreamArrived arrived -> core.later(arrived);
            case Built _, Checked _, Saved _, Resumed _, LedgerSaid _, AskLedger _, LookAtGuest _, Closed _ ->
                Behaviors.unhandled();
        });
    }
}
