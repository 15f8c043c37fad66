package io.godwit.stream;

import com.typesafe.config.Config;
import io.godwit.vm.GuestMemory;

/**
 * Limits of the stream, from {@code godwit.stream} in reference.conf, where each is explained.
 *
 * @param headerBytesMax largest frame header taken
 * @param runPagesMax longest RAM run, in pages
 * @param deviceChunkBytesMax largest device chunk
 * @param vcpuBytesMax largest vCPU state
 * @param devicesMax most devices in a preamble
 * @param vcpusMax most vCPUs in a preamble
 * @param batchBytes how much RAM is gathered into one write
 * @param readAheadBytes how much is read from the channel at once when headers are expected
 * @param paceSliceMs longest wait of the rate limit before it looks whether it still holds, in milliseconds
 */
public record StreamSettings(
        int headerBytesMax,
        int runPagesMax,
        int deviceChunkBytesMax,
        int vcpuBytesMax,
        int devicesMax,
        int vcpusMax,
        int batchBytes,
        int readAheadBytes,
        long paceSliceMs) {
    /** Reads {@code godwit.stream} of {@code config}. */
    public static StreamSettings from(Config config) {
        Config stream = config.getConfig("godwit.stream");
        return new StreamSettings(
                Math.toIntExact(stream.getBytes("header-max")),
                stream.getInt("run-pages-max"),
                Math.toIntExact(stream.getBytes("device-chunk-max")),
                Math.toIntExact(stream.getBytes("vcpu-state-max")),
                stream.getInt("devices-max"),
                stream.getInt("vcpus-max"),
                Math.toIntExact(stream.getBytes("batch")),
                Math.toIntExact(stream.getBytes("read-ahead")),
                stream.getDuration("pace-slice").toMillis());
    }

    public StreamSettings {
        positive("header-max", headerBytesMax);
        positive("run-pages-max", runPagesMax);
        positive("device-chunk-max", deviceChunkBytesMax);
        positive("vcpu-state-max", vcpuBytesMax);
        positive("vcpus-max", vcpusMax);
        positive("pace-slice in ms", paceSliceMs);
        if (batchBytes > 64 << 20) {
            throw new IllegalArgumentException("godwit.stream.batch is " + batchBytes + "; expected at most 64 MiB");
        }
        atLeast("batch", batchBytes, RamRunHeader.FRAME_BYTES_MAX + GuestMemory.PAGE_SIZE);
        atLeast("read-ahead", readAheadBytes, headerBytesMax + Framing.PREFIX_BYTES);
        if (runPagesMax > 1 << 14) {
            throw new IllegalArgumentException("godwit.stream.run-pages-max is " + runPagesMax
                    + "; expected at most 16384 (64 MiB): a run must fit one buffer beside a window of 1 GiB");
        }
    }

    private static void positive(String name, long value) {
        atLeast(name, value, 1);
    }

    private static void atLeast(String name, long value, long least) {
        if (value < least) {
            throw new IllegalArgumentException(
                    "godwit.stream." + name + " is " + value + "; expected at least " + least);
        }
    }
}
