package io.godwit.device;

import io.godwit.proto.vm.DeviceLog;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Sends one hook to every device of a VM and waits until each has answered, failed ones included: only then is it safe
 * to go on, or to undo. Answers once and stops itself.
 */
public final class DeviceRound {
    /**
     * What the devices said.
     *
     * @param replies by device, in slot order
     * @param error every failure and rejection in one line; empty when there was none
     */
    public record Result(SequencedMap<String, Device.Reply> replies, Optional<String> error) {
        /** States reported with {@link Device.Done}, in slot order. */
        public List<DeviceState> states() {
            return replies.values().stream()
                    .filter(Device.Done.class::isInstance)
                    .map(reply -> ((Device.Done) reply).state())
                    .toList();
        }

        /** What those saw that answered with {@link Device.Described}, in slot order. */
        public List<DeviceLog> logs() {
            return replies.values().stream()
                    .filter(Device.Described.class::isInstance)
                    .map(reply -> ((Device.Described) reply).log())
                    .toList();
        }
    }

    private DeviceRound() {}

    /**
     * Begins at once, as a child of {@code context}; with no devices {@code replyTo} has its answer when this returns, since
     * a round of nobody is not worth an actor: several rounds lie in every standstill.
     */
    public static void begin(
            ActorContext<?> context,
            SequencedMap<String, ActorRef<Device.Command>> devices,
            Function<ActorRef<Device.Reply>, Device.Command> hook,
            ActorRef<Result> replyTo) {
        if (devices.isEmpty()) {
            replyTo.tell(new Result(new LinkedHashMap<>(), Optional.empty()));
        } else {
            context.spawnAnonymous(create(devices, hook, replyTo));
        }
    }

    private static Behavior<Device.Reply> create(
            SequencedMap<String, ActorRef<Device.Command>> devices,
            Function<ActorRef<Device.Reply>, Device.Command> hook,
            ActorRef<Result> replyTo) {
        return Behaviors.setup(context -> {
            SequencedMap<String, Device.Reply> replies = new LinkedHashMap<>();
            Set<String> waiting = new HashSet<>(devices.keySet());
            List<String> errors = new ArrayList<>();
            devices.keySet().forEach(name -> replies.put(name, new Device.Done(name, DeviceState.ERROR)));
            devices.values().forEach(device -> device.tell(hook.apply(context.getSelf())));
            return Behaviors.receiveMessage(reply -> {
                replies.put(reply.device(), reply);
                switch (reply) {
                    case Device.Failed failed -> errors.add(describe(failed));
                    case Device.Rejected rejected -> errors.add(describe(rejected));
                    case Device.Done _,
                            Device.Pending _,
                            Device.Iterated _,
                            Device.Loaded _,
                            Device.Saved _,
                            Device.DigestTaken _,
                            Device.Described _ -> {}
                }
                waiting.remove(reply.device());
                if (!waiting.isEmpty()) {
                    return Behaviors.same();
                }
                replyTo.tell(new Result(
                        replies, errors.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", errors))));
                return Behaviors.stopped();
            });
        });
    }

    /** A failure in one line. */
    public static String describe(Device.Failed failed) {
        return "device " + failed.device() + " failed in " + failed.hook() + ": " + failed.reason() + " (it stands in "
                + failed.state() + ")";
    }

    /** A rejection in one line. */
    public static String describe(Device.Rejected rejected) {
        return "device " + rejected.device() + " does not take " + rejected.hook() + " in " + rejected.state();
    }
}
