package io.godwit.migration;

import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What one save path has counted and timed; nanoseconds are on the source's clock. Confined to one actor. */
final class SaveCounters {
    /** Most of a stretch that the limit may have held back without hiding what the link does. */
    private static final double HELD_MAX = 0.25;

    final BandwidthMeter meter;
    final DirtyRate cpu = new DirtyRate();
    final DirtyRate dma = new DirtyRate();
    final long ramBytes;
    int iterations;
    long dirtiedPages;
    long deviceBytes;
    long precopyBeganNanos;
    long precopyEndedNanos;

    @Nullable
    Prediction predicted;

    long decidedNanos;
    long stopAskedNanos;
    long stoppedNanos;
    StopAndCopy.Outcome.@Nullable Copied copied;
    long loadedNanos;
    long digestMicros;
    long runningNanos;
    long resumeMicros;
    private long lastSyncNanos;
    private long cpuRate;
    private long dmaRate;
    private long sampledNanos;
    private long sampledBytes;
    private long sampledHeldNanos;
    private long sampledZeroPages;
    private long shortBytes;
    private long shortNanos;

    SaveCounters(long ramBytes, RouteCosts costs, MigrationSettings settings) {
        this.ramBytes = ramBytes;
        this.meter =
                new BandwidthMeter(costs.precopyBandwidth(), settings.bandwidthWindow(), settings.bandwidthSettled());
    }

    /** A stretch of sending RAM begins. */
    void sendingFrom(StreamWriter writer, long now) {
        sampledNanos = now;
        sampledBytes = writer.ramBytesWritten();
        sampledHeldNanos = writer.ramHeldNanos();
        sampledZeroPages = writer.zeroPages();
    }

    /** Takes a bandwidth sample of the stretch since the last one, in which RAM was sent all the time. */
    void sample(StreamWriter writer, long now) {
        long bytes = writer.ramBytesWritten() - sampledBytes;
        long zeroBytes = (writer.zeroPages() - sampledZeroPages) * GuestMemory.PAGE_SIZE;
        long nanos = now - sampledNanos;
        long held = writer.ramHeldNanos() - sampledHeldNanos;
        sendingFrom(writer, now);
        // mostly zero pages: the time went into looking at memory; mostly held back: socket buffers emptied meanwhile,
        // and
        // the next write told of them. Either way the link does at least that much
        if (bytes < zeroBytes || held > nanos * HELD_MAX) {
            meter.atLeast(bytes, nanos);
            return;
        }
        shortBytes += bytes;
        shortNanos += nanos - held;
        // of a few pages only the way there and back is seen: they are gathered until they tell something
        if (shortBytes >= Switchover.TELLING_BYTES) {
            meter.add(shortBytes, shortNanos);
            shortBytes = 0;
            shortNanos = 0;
        }
    }

    /** Takes in what a sync found dirty since the one before. */
    void synced(DirtySync.Result sync, long now) {
        if (iterations++ > 0) {
            dirtiedPages += sync.cpuPages() + sync.dmaPages();
            long elapsed = Math.max(1, now - lastSyncNanos);
            cpu.add(sync.cpuPages(), elapsed);
            dma.add(sync.dmaPages(), elapsed);
            cpuRate = perSecond(sync.cpuPages(), elapsed);
            dmaRate = perSecond(sync.dmaPages(), elapsed);
        }
        lastSyncNanos = now;
    }

    SaveStats stats(@Nullable StreamWriter writer, long now) {
        long until = precopyEndedNanos == 0 ? now : precopyEndedNanos;
        return new SaveStats(
                ramBytes,
                writer == null ? 0 : writer.bytesWritten(),
                writer == null ? 0 : writer.pagesSent() * GuestMemory.PAGE_SIZE,
                deviceBytes,
                dirtiedPages,
                iterations,
                precopyBeganNanos == 0 ? 0 : (until - precopyBeganNanos) / 1_000_000,
                meter.bytesPerSecond(),
                predicted == null ? 0 : predicted.totalMicros());
    }

    /** What the switchover that has been measured teaches; nothing when it was not asked for, or not all was measured. */
    Optional<Switchover> switchover() {
        StopAndCopy.Outcome.Copied sent = copied;
        Downtime parts = downtime();
        if (sent == null || decidedNanos == 0 || parts.equals(Downtime.NONE)) {
            return Optional.empty();
        }
        long state = micros(Math.max(sent.devicesSavedNanos(), sent.digestedNanos()), sent.endedNanos());
        long load = Math.max(0, parts.loadMicros() - digestMicros);
        return Optional.of(new Switchover(
                parts.stopMicros()
                        + parts.lastSyncMicros()
                        + state
                        + load
                        + parts.commitMicros()
                        + parts.resumeMicros(),
                micros(decidedNanos, stopAskedNanos),
                meter.measured() ? meter.bytesPerSecond() : 0,
                sent.ramBytes(),
                parts.lastRamMicros(),
                sent.deviceBytes(),
                micros(sent.ramSentNanos(), sent.devicesSavedNanos()),
                ramBytes,
                micros(sent.syncedNanos(), sent.digestedNanos()),
                digestMicros));
    }

    Downtime downtime() {
        StopAndCopy.Outcome.Copied sent = copied;
        if (sent == null || loadedNanos == 0 || runningNanos == 0) {
            return Downtime.NONE;
        }
        return new Downtime(
                micros(stopAskedNanos, stoppedNanos),
                micros(stoppedNanos, sent.syncedNanos()),
                micros(sent.syncedNanos(), sent.ramSentNanos()),
                micros(sent.ramSentNanos(), sent.endedNanos()),
                micros(sent.endedNanos(), loadedNanos),
                Math.max(0, micros(loadedNanos, runningNanos) - resumeMicros),
                resumeMicros);
    }

    /** What one sync tells; rates are since the sync before. */
    Progress progress(
            StateTriple triple,
            DirtySync.Result sync,
            StreamWriter writer,
            long now,
            Measured measured,
            Prediction expected,
            Prediction floor,
            SaveLimits limits) {
        return new Progress(
                triple,
                stats(writer, now),
                measured.ramLeftBytes() + measured.pinnedBytes() + measured.stopCopyBytes(),
                cpuRate,
                dmaRate,
                measured.pinnedBytes(),
                measured.precopyBytes(),
                measured.stopCopyBytes(),
                expected.totalMicros(),
                floor.totalMicros(),
                sync.trustworthy(),
                measured.rounds(),
                expected.fixedMicros(),
                measured.acknowledged(),
                limits);
    }

    private static long perSecond(long pages, long nanos) {
        return (long) (pages * (GuestMemory.PAGE_SIZE * 1e9) / nanos);
    }

    private static long micros(long from, long to) {
        return Math.max(0, to - from) / 1000;
    }
}
