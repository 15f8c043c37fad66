package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.memory.DirtyBitmap;
import io.godwit.memory.MemoryContainer;
import io.godwit.vm.VmParts;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One dirty sync: the CPU log, every container and, while the VM runs, every device's pending bytes, all at once. Answers
 * once, when all have answered, and stops itself.
 */
final class DirtySync {
    /**
     * What it found.
     *
     * @param cpuPages pages in the CPU log
     * @param dmaPages pages the containers reported as written by devices
     * @param pinnedPages pages that count as dirty until the devices stop
     * @param initialBytes device state of which the destination must have loaded all before the stop, by device; none that has
     *     given out all of it
     * @param precopyBytes device state that can go while the VM runs
     * @param stopCopyBytes device state that would go if it stopped now, pre-copy bytes included
     * @param trustworthy false when a container hides pinned pages until the stop
     * @param warnings what makes more pages count as dirty than were written, such as a device's lost log
     * @param error why it could not be done; the counts are then incomplete
     */
    record Result(
            long cpuPages,
            long dmaPages,
            long pinnedPages,
            SortedMap<String, Long> initialBytes,
            long precopyBytes,
            long stopCopyBytes,
            boolean trustworthy,
            List<String> warnings,
            Optional<String> error) {
        Result {
            warnings = List.copyOf(warnings);
        }
    }

    private sealed interface Command {}

    private record CpuSynced(long pages, String error) implements Command {}

    private record ContainerReplied(MemoryContainer.Reply reply) implements Command {}

    private record DevicesReplied(DeviceRound.Result result) implements Command {}

    private final ActorContext<Command> context;
    private final VmParts parts;
    private final ActorRef<Result> replyTo;
    private final Set<String> containers;
    private final List<String> warnings = new ArrayList<>();
    private final List<String> errors = new ArrayList<>();
    private boolean cpuDone;
    private boolean devicesDone;
    private long cpuPages;
    private long dmaPages;
    private long pinnedPages;
    private final SortedMap<String, Long> initialBytes = new TreeMap<>();
    private long precopyBytes;
    private long stopCopyBytes;
    private boolean trustworthy = true;

    private DirtySync(ActorContext<Command> context, VmParts parts, ActorRef<Result> replyTo) {
        this.context = context;
        this.parts = parts;
        this.replyTo = replyTo;
        this.containers = new HashSet<>(parts.containers().keySet());
    }

    /**
     * Begins at once.
     *
     * @param dirty where pages to be sent are marked
     * @param heldBack where pages are marked that are dirty whenever they are sent before the stop
     * @param stopped whether vCPUs and devices stand still
     */
    static Behavior<Void> create(
            VmParts parts, DirtyBitmap dirty, DirtyBitmap heldBack, boolean stopped, ActorRef<Result> replyTo) {
        return Behaviors.<Command>setup(
                        context -> new DirtySync(context, parts, replyTo).begin(dirty, heldBack, stopped))
                .unsafeCast();
    }

    private Behavior<Command> begin(DirtyBitmap dirty, DirtyBitmap heldBack, boolean stopped) {
        context.pipeToSelf(
                DataPlane.call(() -> parts.guest().collectDirty(dirty), parts.dataPlane()),
                (pages, thrown) -> thrown == null
                        ? new CpuSynced(pages, "")
                        : new CpuSynced(0, "CPU dirty log: " + DataPlane.reason(thrown)));
        ActorRef<MemoryContainer.Reply> replies =
                context.messageAdapter(MemoryContainer.Reply.class, ContainerReplied::new);
        parts.containers()
                .values()
                .forEach(container -> container.tell(new MemoryContainer.Sync(dirty, heldBack, stopped, replies)));
        if (stopped) {
            // what they still have is not of interest any more: it is all taken next
            devicesDone = true;
        } else {
            DeviceRound.begin(
                    context,
                    parts.devices(),
                    Device.SaveLivePending::new,
                    context.messageAdapter(DeviceRound.Result.class, DevicesReplied::new));
        }
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case CpuSynced(var pages, var error) -> {
                    cpuDone = true;
                    cpuPages = pages;
                    if (!error.isEmpty()) {
                        errors.add(error);
                    }
                }
                case ContainerReplied(var reply) -> containerReplied(reply);
                case DevicesReplied(var result) -> devicesReplied(result);
            }
            if (!cpuDone || !devicesDone || !containers.isEmpty()) {
                return Behaviors.same();
            }
            replyTo.tell(new Result(
                    cpuPages,
                    dmaPages,
                    pinnedPages,
                    initialBytes,
                    precopyBytes,
                    stopCopyBytes,
                    trustworthy,
                    warnings,
                    errors.isEmpty() ? Optional.empty() : Optional.of(String.join("; ", errors))));
            return Behaviors.stopped();
        });
    }

    private void containerReplied(MemoryContainer.Reply reply) {
        containers.remove(reply.container());
        switch (reply) {
            case MemoryContainer.Synced synced -> {
                pinnedPages += synced.pinnedPages();
                dmaPages += synced.dmaDirtyPages();
                trustworthy &= synced.trustworthy();
                synced.warnings().forEach(warning -> warnings.add("container " + synced.container() + ": " + warning));
            }
            case MemoryContainer.ContainerFailed failed ->
                errors.add("container " + failed.container() + ": " + failed.reason());
            case MemoryContainer.TrackingChanged _, MemoryContainer.Described _ ->
                errors.add("container " + reply.container() + " answered out of turn: " + reply);
        }
    }

    private void devicesReplied(DeviceRound.Result result) {
        devicesDone = true;
        result.error().ifPresent(errors::add);
        for (Device.Reply reply : result.replies().values()) {
            if (reply instanceof Device.Pending pending) {
                if (pending.initialBytes() > 0) {
                    initialBytes.put(pending.device(), pending.initialBytes());
                }
                precopyBytes += pending.precopyBytes();
                stopCopyBytes += pending.stopCopyBytes();
            }
        }
    }
}
