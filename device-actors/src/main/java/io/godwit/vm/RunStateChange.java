package io.godwit.vm;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.device.DeviceState;
import io.godwit.proto.vm.RunState;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One change of a VM's run state: vCPUs and devices, in QEMU's order, then it stops itself. To stop: vCPUs pause, every
 * device reaches a P2P state (prepare pass), then every device stops. To run: every device reaches a P2P state, every
 * device runs, then the vCPUs start. No device is stopped, or started, while another could still reach into it.
 *
 * <pre>
 * to stop: pausing → preparing → applying → done
 * to run:  preparing → applying → starting → done          failed from any of them
 * </pre>
 */
public final class RunStateChange {
    /** How it ended. */
    public sealed interface Outcome {
        /** The VM is in the state asked for; {@code devices} in slot order. */
        record Changed(RunState state, List<DeviceState> devices) implements Outcome {}

        /** Some part refused: which, and why. */
        record NotChanged(RunState asked, String reason) implements Outcome {}
    }

    private sealed interface Command {}

    private record GuestDone(String error) implements Command {}

    private record DevicesDone(DeviceRound.Result result) implements Command {}

    @FunctionalInterface
    private interface GuestCall {
        void call() throws GuestException;
    }

    private final ActorContext<Command> context;
    private final VmParts parts;
    private final long epoch;
    private final RunState target;
    private final ActorRef<Outcome> replyTo;

    private RunStateChange(
            ActorContext<Command> context, VmParts parts, long epoch, RunState target, ActorRef<Outcome> replyTo) {
        this.context = context;
        this.parts = parts;
        this.epoch = epoch;
        this.target = target;
        this.replyTo = replyTo;
    }

    /** Begins at once. {@code target}: RUNNING, or any state in which the VM stands still. */
    public static Behavior<Void> create(VmParts parts, long epoch, RunState target, ActorRef<Outcome> replyTo) {
        return Behaviors.<Command>setup(context -> {
                    RunStateChange change = new RunStateChange(context, parts, epoch, target, replyTo);
                    return target == RunState.RUNNING ? change.preparing() : change.pausing();
                })
                .unsafeCast();
    }

    private Behavior<Command> pausing() {
        onGuest(() -> {
            parts.guest().pause();
            parts.runLog().stopped(parts.spec().name(), epoch);
        });
        return guestThen(this::preparing);
    }

    private Behavior<Command> preparing() {
        askDevices(true);
        return Behaviors.receiveMessage(command -> switch (command) {
            case DevicesDone(var result) ->
                result.error().isPresent() ? failed(result.error().get()) : applying();
            case GuestDone _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> applying() {
        askDevices(false);
        return Behaviors.receiveMessage(command -> switch (command) {
            case DevicesDone(var result) -> {
                if (result.error().isPresent()) {
                    yield failed(result.error().get());
                }
                yield target == RunState.RUNNING ? starting(result.states()) : done(result.states());
            }
            case GuestDone _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> starting(List<DeviceState> devices) {
        String vm = parts.spec().name();
        onGuest(() -> {
            parts.runLog().running(vm, epoch);
            try {
                parts.guest().run();
            } catch (GuestException e) {
                parts.runLog().stopped(vm, epoch);
                throw e;
            }
        });
        return guestThen(() -> done(devices));
    }

    private Behavior<Command> guestThen(Supplier<Behavior<Command>> next) {
        return Behaviors.receiveMessage(command -> switch (command) {
            case GuestDone(var error) -> error.isEmpty() ? next.get() : failed("vCPUs: " + error);
            case DevicesDone _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> done(List<DeviceState> devices) {
        replyTo.tell(new Outcome.Changed(target, devices));
        return Behaviors.stopped();
    }

    private Behavior<Command> failed(String reason) {
        replyTo.tell(new Outcome.NotChanged(target, reason));
        return Behaviors.stopped();
    }

    private void askDevices(boolean prepare) {
        ActorRef<DeviceRound.Result> adapter = context.messageAdapter(DeviceRound.Result.class, DevicesDone::new);
        DeviceRound.begin(
                context, parts.devices(), replies -> new Device.VmStateChanged(target, prepare, replies), adapter);
    }

    private void onGuest(GuestCall call) {
        CompletableFuture<String> result = CompletableFuture.supplyAsync(
                () -> {
                    try {
                        call.call();
                        return "";
                    } catch (GuestException e) {
                        return String.valueOf(e.getMessage());
                    }
                },
                parts.dataPlane());
        context.pipeToSelf(result, (error, thrown) -> new GuestDone(thrown == null ? error : thrown.toString()));
    }
}
