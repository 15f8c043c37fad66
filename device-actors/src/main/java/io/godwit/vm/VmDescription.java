package io.godwit.vm;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import java.time.Duration;
import java.util.SequencedMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Asks every device of a VM what it saw, whatever the VM does meanwhile, and answers one {@link
 * io.godwit.proto.host.HostCommand.DescribeVm}; then it stops itself.
 */
final class VmDescription {
    private sealed interface Command {}

    private record Told(DeviceRound.Result result) implements Command {}

    private record TimedOut() implements Command {}

    private VmDescription() {}

    /** Begins at once. {@code otherwise} is answered when a device has said nothing by then. */
    static Behavior<Void> create(
            VmStatus status,
            SequencedMap<String, ActorRef<Device.Command>> devices,
            Duration limit,
            HostReply otherwise,
            ActorRef<HostReply> replyTo) {
        return Behaviors.<Command>setup(context -> Behaviors.withTimers(timers -> {
                    timers.startSingleTimer(new TimedOut(), limit);
                    DeviceRound.begin(
                            context,
                            devices,
                            Device.Describe::new,
                            context.messageAdapter(DeviceRound.Result.class, Told::new));
                    return Behaviors.receiveMessage(command -> {
                        replyTo.tell(
                                switch (command) {
                                    case Told(var result) -> new HostReply.VmDescribed(status, result.logs());
                                    case TimedOut() -> otherwise;
                                });
                        return Behaviors.stopped();
                    });
                }))
                .unsafeCast();
    }
}
