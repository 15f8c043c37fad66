package io.godwit.bench;

import io.godwit.memory.DirtyBitmap;
import io.godwit.memory.DirtyReport;
import io.godwit.memory.DmaLogging;
import io.godwit.memory.DmaPort;
import io.godwit.memory.IommuException;
import io.godwit.memory.IommuSpace;
import io.godwit.memory.IovaRange;
import io.godwit.memory.ReportingPolicy;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What a dirty sync does to the bitmaps of a guest of 64 GiB, at several densities of dirty pages. Run by {@link BitmapBench}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class BitmapBenchmarks {
    static final long MEMORY_BYTES = 64L << 30;
    private static final long PAGES = MEMORY_BYTES / GuestMemory.PAGE_SIZE;
    private static final int RUN_PAGES_MAX = 256;
    private static final long IOVA = 1L << 40;
    private static final long PINNED_BYTES = 256L << 20;

    /** Which pages are dirty. */
    @Param
    PagePattern pattern;

    private final DirtyBitmap template = new DirtyBitmap(PAGES);
    private final DirtyBitmap from = new DirtyBitmap(PAGES);
    private final DirtyBitmap into = new DirtyBitmap(PAGES);
    private final DirtyBitmap heldBack = new DirtyBitmap(PAGES);
    private MemorySegment log;
    private IommuSpace pinned;
    private IommuSpace tracked;

    /** Lays the dirty pages out, as bitmap, as a kernel's log, and as the log of a device. */
    @Setup(Level.Trial)
    public void layOut() throws IommuException {
        pattern.mark(template);
        log = Arena.ofAuto().allocate(PAGES / Byte.SIZE, Long.BYTES);
        for (int i = 0; i < template.wordCount(); i++) {
            log.setAtIndex(ValueLayout.JAVA_LONG, i, template.word(i));
        }
        pinned = space(ReportingPolicy.PERSISTENT, PINNED_BYTES);
        tracked = space(ReportingPolicy.HARDWARE_TRACKED, MEMORY_BYTES);
    }

    // sound: a report reads bitmaps, never the memory they are about
    @SuppressWarnings("restricted")
    private IommuSpace space(ReportingPolicy policy, long bytes) throws IommuException {
        GuestMemory memory =
                new GuestMemory(MemorySegment.ofAddress(GuestMemory.PAGE_SIZE).reinterpret(MEMORY_BYTES));
        IommuSpace space = new IommuSpace("bench", memory, 10, false);
        DmaPort port = space.attach("gpu0", policy, new DeviceLog(template));
        space.map(IOVA, 0, MEMORY_BYTES);
        port.pin(IOVA, bytes);
        space.startTracking();
        return space;
    }

    /** Puts the marks back that the operation before has taken; not measured. */
    @Setup(Level.Invocation)
    public void refill() {
        from.clear();
        from.or(template);
        into.clear();
    }

    /** The CPU log, as KVM hands it over. */
    @Benchmark
    public long collectLog() {
        return into.orWords(log);
    }

    /** The CPU log of a soft guest. */
    @Benchmark
    public long drain() {
        return from.drainInto(into);
    }

    /** What was held back and is no more goes to what is pending. */
    @Benchmark
    public DirtyBitmap merge() {
        into.or(from);
        into.andNot(template);
        return into;
    }

    /** Everything that is marked, run by run, as the sender takes it. */
    @Benchmark
    public long takeRuns() {
        long runs = 0;
        for (long page = from.nextSet(0); page >= 0; page = from.nextSet(page)) {
            page += from.takeRun(page, RUN_PAGES_MAX);
            runs++;
        }
        return runs;
    }

    /** How many are left. */
    @Benchmark
    public long count() {
        return from.count();
    }

    /** The sync of a container with 256 MiB pinned. */
    @Benchmark
    public DirtyReport syncPinned() throws IommuException {
        return pinned.report(false, into, heldBack);
    }

    /** The sync of a container whose one device logs its DMA to all of the guest's memory. */
    @Benchmark
    public DirtyReport syncTracked() throws IommuException {
        return tracked.report(false, into, heldBack);
    }

    /** A log that always tells the same. */
    private record DeviceLog(DirtyBitmap written) implements DmaLogging {
        @Override
        public int rangesMax() {
            return 1;
        }

        @Override
        public long start(long pageBytesWanted, List<IovaRange> ranges) {
            return GuestMemory.PAGE_SIZE;
        }

        @Override
        public long report(long iova, long bytes, DirtyBitmap pages) {
            int first = (int) ((iova - IOVA) / GuestMemory.PAGE_SIZE / Long.SIZE);
            int words = (int) (bytes / GuestMemory.PAGE_SIZE / Long.SIZE);
            for (int i = 0; i < words; i++) {
                pages.orWord(i, written.word(first + i));
            }
            return bytes;
        }

        @Override
        public void stop() {}
    }
}
