package io.godwit.migration;

import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import org.jspecify.annotations.Nullable;

/** What one save path has counted and timed; nanoseconds are on the source's clock. Confined to one actor. */
final class SaveCounters {
    final BandwidthMeter meter = new BandwidthMeter();
    final long ramBytes;
    int iterations;
    long dirtiedPages;
    long deviceBytes;
    long precopyBeganNanos;
    long precopyEndedNanos;
    long predictedMicros;
    long stopAskedNanos;
    long stoppedNanos;
    StopAndCopy.Outcome.@Nullable Copied copied;
    long loadedNanos;
    long runningNanos;
    long resumeMicros;
    private long lastSyncNanos;
    private long sampledNanos;
    private long sampledBytes;
    private long sampledZeroPages;

    SaveCounters(long ramBytes) {
        this.ramBytes = ramBytes;
    }

    /** A stretch of sending begins. */
    void sendingFrom(StreamWriter writer, long now) {
        sampledNanos = now;
        sampledBytes = writer.bytesWritten();
        sampledZeroPages = writer.zeroPages();
    }

    /** Takes a bandwidth sample of the stretch since the last one. */
    void sample(StreamWriter writer, long now) {
        long bytes = writer.bytesWritten() - sampledBytes;
        long zeroBytes = (writer.zeroPages() - sampledZeroPages) * GuestMemory.PAGE_SIZE;
        // a stretch of mostly zero pages was spent looking at memory, not sending: the link does at least that much
        if (bytes >= zeroBytes) {
            meter.add(bytes, now - sampledNanos);
        } else {
            meter.atLeast(bytes, now - sampledNanos);
        }
        sendingFrom(writer, now);
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
                predictedMicros);
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
            long ramLeft,
            long predictedMicros,
            long floorMicros,
            long passes,
            long fixedMicros,
            boolean acknowledged,
            SaveLimits limits) {
        long elapsed = Math.max(1, now - lastSyncNanos);
        long cpuRate = lastSyncNanos == 0 ? 0 : perSecond(sync.cpuPages(), elapsed);
        long dmaRate = lastSyncNanos == 0 ? 0 : perSecond(sync.dmaPages(), elapsed);
        lastSyncNanos = now;
        return new Progress(
                triple,
                stats(writer, now),
                ramLeft + sync.pinnedPages() * GuestMemory.PAGE_SIZE + sync.stopCopyBytes(),
                cpuRate,
                dmaRate,
                sync.pinnedPages() * GuestMemory.PAGE_SIZE,
                sync.precopyBytes(),
                sync.stopCopyBytes(),
                predictedMicros,
                floorMicros,
                sync.trustworthy(),
                passes,
                fixedMicros,
                acknowledged,
                limits);
    }

    private static long perSecond(long pages, long nanos) {
        return (long) (pages * (GuestMemory.PAGE_SIZE * 1e9) / nanos);
    }

    private static long micros(long from, long to) {
        return Math.max(0, to - from) / 1000;
    }
}
