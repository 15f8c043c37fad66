package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceRound;
import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.MonotonicClock;
import io.godwit.stream.Digests;
import io.godwit.stream.RamDigest;
import io.godwit.stream.RamSender;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.VmParts;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * All that is sent while the VM stands still: last dirty sync, last pages, device state to its end, vCPUs, and the end of
 * the stream with the digests. RAM is digested beside the sending, not after it. Answers once, when no job of its own is
 * left, and stops itself.
 *
 * <pre>syncing → sendingRam → savingDevices → ending → Copied; NotCopied from any of them</pre>
 */
final class StopAndCopy {
    sealed interface Outcome {
        /**
         * The destination has been sent everything. Times in nanoseconds on the source's clock; {@code digestedNanos} is
         * that of the last sync when nothing was to be digested.
         */
        record Copied(
                long syncedNanos,
                long ramSentNanos,
                long devicesSavedNanos,
                long digestedNanos,
                long endedNanos,
                long ramBytes,
                long deviceBytes,
                long dirtyPages)
                implements Outcome {}

        /** Why not; the VM still stands still. */
        record NotCopied(String reason) implements Outcome {}
    }

    private sealed interface Command {}

    private record Synced(DirtySync.Result result) implements Command {}

    private record RamSent(long bytes, String error) implements Command {}

    private record RamDigested(long digest, String error) implements Command {}

    private record DevicesSaved(DeviceRound.Result result) implements Command {}

    private record Ended(String error) implements Command {}

    private final ActorContext<Command> context;
    private final VmParts parts;
    private final StreamWriter writer;
    private final RamSender sender;
    private final boolean verify;
    private final MonotonicClock clock;
    private final ActorRef<Outcome> replyTo;
    private final List<String> errors = new ArrayList<>();
    private final Map<String, Long> deviceDigests = new HashMap<>();
    private boolean digestRuns;
    private long ramDigest;
    private long dirtyPages;
    private long ramBytes;
    private long deviceBytes;
    private long syncedNanos;
    private long ramSentNanos;
    private long devicesSavedNanos;
    private long digestedNanos;

    private StopAndCopy(
            ActorContext<Command> context,
            VmParts parts,
            StreamWriter writer,
            RamSender sender,
            boolean verify,
            MonotonicClock clock,
            ActorRef<Outcome> replyTo) {
        this.context = context;
        this.parts = parts;
        this.writer = writer;
        this.sender = sender;
        this.verify = verify;
        this.clock = clock;
        this.replyTo = replyTo;
    }

    /** Begins at once; vCPUs and devices stand still, and nobody else uses the stream. */
    static Behavior<Void> create(
            VmParts parts,
            StreamWriter writer,
            RamSender sender,
            DirtyBitmap pending,
            boolean verify,
            MonotonicClock clock,
            ActorRef<Outcome> replyTo) {
        return Behaviors.<Command>setup(context ->
                        new StopAndCopy(context, parts, writer, sender, verify, clock, replyTo).syncing(pending))
                .unsafeCast();
    }

    private Behavior<Command> syncing(DirtyBitmap pending) {
        // with everything stopped the containers report pinned pages as dirty: nothing is held back any more
        DirtyBitmap none = new DirtyBitmap(pending.pages());
        context.spawnAnonymous(DirtySync.create(
                parts, pending, none, true, context.messageAdapter(DirtySync.Result.class, Synced::new)));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Synced(var result) -> {
                syncedNanos = clock.nanoTime();
                digestedNanos = syncedNanos;
                if (result.error().isPresent()) {
                    errors.add("last dirty sync: " + result.error().get());
                    yield finish();
                }
                dirtyPages = result.cpuPages() + result.dmaPages();
                yield sendingRam(pending);
            }
            case RamSent _, RamDigested _, DevicesSaved _, Ended _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> sendingRam(DirtyBitmap pending) {
        if (verify) {
            digestRuns = true;
            io(
                    () -> RamDigest.of(parts.guest().memory(), parts.dataPlane(), 1),
                    (digest, error) -> new RamDigested(digest == null ? 0 : digest, error));
        }
        io(
                () -> sender.sendStopped(pending, () -> false),
                (bytes, error) -> new RamSent(bytes == null ? 0 : bytes, error));
        return Behaviors.receiveMessage(command -> switch (command) {
            case RamSent(var bytes, var error) -> {
                ramSentNanos = clock.nanoTime();
                ramBytes = bytes;
                note("last RAM pages", error);
                yield errors.isEmpty() ? savingDevices() : finish();
            }
            case RamDigested digested -> digested(digested, this::staySame);
            case Synced _, DevicesSaved _, Ended _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> savingDevices() {
        DeviceRound.begin(
                context,
                parts.devices(),
                replies -> new Device.SaveLiveCompletePrecopy(writer, replies),
                context.messageAdapter(DeviceRound.Result.class, DevicesSaved::new));
        return Behaviors.receiveMessage(command -> switch (command) {
            case DevicesSaved(var result) -> {
                devicesSavedNanos = clock.nanoTime();
                for (Device.Reply reply : result.replies().values()) {
                    if (reply instanceof Device.Saved saved) {
                        deviceBytes += saved.bytes();
                        deviceDigests.put(saved.device(), saved.digest());
                    }
                }
                result.error().ifPresent(errors::add);
                yield errors.isEmpty() && !digestRuns ? ending() : digestRuns ? digesting() : finish();
            }
            case RamDigested digested -> digested(digested, this::staySame);
            case Synced _, RamSent _, Ended _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> digesting() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case RamDigested digested -> digested(digested, () -> errors.isEmpty() ? ending() : finish());
            case Synced _, RamSent _, DevicesSaved _, Ended _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> ending() {
        io(
                () -> {
                    List<byte[]> states = new ArrayList<>();
                    for (int i = 0; i < parts.guest().vcpuCount(); i++) {
                        byte[] state = parts.guest().saveVcpu(i);
                        states.add(state);
                        writer.vcpu(i, state);
                    }
                    writer.end(verify ? new Digests(ramDigest, deviceDigests, Digests.ofVcpus(states)) : Digests.NONE);
                    return clock.nanoTime();
                },
                (_, error) -> new Ended(error));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Ended(var error) -> {
                note("vCPU state", error);
                yield finish();
            }
            case Synced _, RamSent _, RamDigested _, DevicesSaved _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> digested(RamDigested digested, Supplier<Behavior<Command>> next) {
        digestRuns = false;
        ramDigest = digested.digest();
        digestedNanos = clock.nanoTime();
        note("RAM digest", digested.error());
        return next.get();
    }

    private Behavior<Command> finish() {
        if (digestRuns) {
            return digesting();
        }
        replyTo.tell(
                errors.isEmpty()
                        ? new Outcome.Copied(
                                syncedNanos,
                                ramSentNanos,
                                devicesSavedNanos,
                                digestedNanos,
                                clock.nanoTime(),
                                ramBytes,
                                deviceBytes,
                                dirtyPages)
                        : new Outcome.NotCopied(String.join("; ", errors)));
        return Behaviors.stopped();
    }

    private Behavior<Command> staySame() {
        return Behaviors.same();
    }

    private void note(String what, String error) {
        if (!error.isEmpty()) {
            errors.add(what + ": " + error);
        }
    }

    private <T> void io(Callable<T> job, BiFunction<@Nullable T, String, Command> done) {
        context.pipeToSelf(
                DataPlane.call(job, parts.dataPlane()),
                (value, thrown) -> done.apply(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }
}
