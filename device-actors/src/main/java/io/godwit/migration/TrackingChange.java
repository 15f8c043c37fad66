package io.godwit.migration;

import io.godwit.memory.MemoryContainer;
import io.godwit.vm.VmParts;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Starts or stops dirty tracking: the CPU log and every container. Answers once, when all have, and stops itself. */
final class TrackingChange {
    /** {@code error} is empty when all did it. */
    record Result(String error) {}

    private sealed interface Command {}

    private record CpuChanged(String error) implements Command {}

    private record ContainerReplied(MemoryContainer.Reply reply) implements Command {}

    private TrackingChange() {}

    static Behavior<Void> create(VmParts parts, boolean on, ActorRef<Result> replyTo) {
        return Behaviors.<Command>setup(context -> {
                    ActorRef<MemoryContainer.Reply> replies =
                            context.messageAdapter(MemoryContainer.Reply.class, ContainerReplied::new);
                    Set<String> waiting = new HashSet<>(parts.containers().keySet());
                    List<String> errors = new ArrayList<>();
                    boolean[] cpuDone = {false};
                    context.pipeToSelf(
                            DataPlane.call(
                                    () -> {
                                        if (on) {
                                            parts.guest().startDirtyLog();
                                        } else {
                                            parts.guest().stopDirtyLog();
                                        }
                                        return on;
                                    },
                                    parts.dataPlane()),
                            (_, thrown) -> new CpuChanged(thrown == null ? "" : DataPlane.reason(thrown)));
                    parts.containers()
                            .values()
                            .forEach(container -> container.tell(
                                    on
                                            ? new MemoryContainer.StartTracking(replies)
                                            : new MemoryContainer.StopTracking(replies)));
                    return Behaviors.receiveMessage(command -> {
                        switch (command) {
                            case CpuChanged(var error) -> {
                                cpuDone[0] = true;
                                if (!error.isEmpty()) {
                                    errors.add("CPU dirty log: " + error);
                                }
                            }
                            case ContainerReplied(var reply) -> {
                                waiting.remove(reply.container());
                                if (reply instanceof MemoryContainer.ContainerFailed failed) {
                                    errors.add("container " + failed.container() + ": " + failed.reason());
                                }
                            }
                        }
                        if (!cpuDone[0] || !waiting.isEmpty()) {
                            return Behaviors.same();
                        }
                        replyTo.tell(new Result(String.join("; ", errors)));
                        return Behaviors.stopped();
                    });
                })
                .unsafeCast();
    }
}
