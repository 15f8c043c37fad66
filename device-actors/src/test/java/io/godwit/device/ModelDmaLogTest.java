package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.DirtyBitmap;
import io.godwit.memory.DirtyReport;
import io.godwit.memory.DmaLoggingException;
import io.godwit.memory.IommuException;
import io.godwit.memory.IovaRange;
import io.godwit.proto.vm.DeviceSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ModelDmaLogTest {
    private static final long BASE = 1L << 40;
    private static final long PAGE = 4096;

    private final DmaLoggingFaults faults = new DmaLoggingFaults();
    private final ModelDmaLog log = new ModelDmaLog(faults);

    private static List<IovaRange> all() {
        return List.of(new IovaRange(BASE, 1L << 30));
    }

    @Test
    void grantsTheSmallestPageItOffersThatIsNotBelowTheOneWanted() throws DmaLoggingException {
        assertThat(log.start(1024, all())).isEqualTo(4096);
        log.stop();
        assertThat(log.start(64 * 1024, all())).isEqualTo(64 * 1024);
        log.stop();
        assertThatThrownBy(() -> log.start(4 << 20, all())).hasMessageContaining("powers of two up to 2097152");
        assertThatThrownBy(() -> log.start(3000, all())).hasMessageContaining("3000 bytes");
    }

    @Test
    void startsOnceWithFewDisjointRangesInOrderOfWholePages() throws DmaLoggingException {
        assertThatThrownBy(() -> log.start(PAGE, List.of())).hasMessageContaining("0 ranges");
        List<IovaRange> many = new ArrayList<>();
        for (int i = 0; i <= ModelDmaLog.RANGES_MAX; i++) {
            many.add(new IovaRange(BASE + i * PAGE, PAGE));
        }
        assertThatThrownBy(() -> log.start(PAGE, many)).hasMessageContaining("5 ranges are wanted; it takes 1 to 4");
        assertThatThrownBy(() -> log.start(PAGE, List.of(new IovaRange(PAGE, PAGE), new IovaRange(0, PAGE))))
                .hasMessageContaining("disjoint");
        assertThatThrownBy(() -> log.start(PAGE, List.of(new IovaRange(100, PAGE))))
                .hasMessageContaining("whole pages");
        log.start(PAGE, all());
        assertThatThrownBy(() -> log.start(PAGE, all())).hasMessage("it logs already");
    }

    @Test
    void reportsOnlyWhileItLogsAndWholePages() throws DmaLoggingException {
        DirtyBitmap pages = new DirtyBitmap(64);
        assertThatThrownBy(() -> log.report(BASE, PAGE, pages)).hasMessage("it does not log");
        log.wrote(BASE, PAGE);
        log.start(2 * PAGE, all());
        assertThatThrownBy(() -> log.report(BASE + PAGE, 2 * PAGE, pages)).hasMessageContaining("its pages have 8192");
        assertThat(log.report(BASE, 64 * PAGE, pages)).isEqualTo(64 * PAGE);
        assertThat(pages.count()).as("written before it logged").isZero();
    }

    /** Against a set of pages: what was written in its ranges is told once, and nothing else is. */
    @Test
    void tellsOfEveryPageWrittenOnce() throws DmaLoggingException {
        for (long seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            ModelDmaLog one = new ModelDmaLog(faults);
            long page = one.start(
                    PAGE << random.nextInt(4),
                    List.of(new IovaRange(0, 1000 * 8 * PAGE), new IovaRange(BASE, 50_000 * 8 * PAGE)));
            TreeSet<Long> written = new TreeSet<>();
            for (int step = 0; step < 200; step++) {
                long base = random.nextBoolean() ? 0 : BASE;
                long iova = base + random.nextInt(100_000) * PAGE;
                long bytes = (1 + random.nextInt(600)) * PAGE;
                if (random.nextInt(3) > 0) {
                    one.wrote(iova, bytes);
                    for (long at = iova; at < iova + bytes; at += PAGE) {
                        if (at < base + (base == 0 ? 1000L : 50_000L) * 8 * PAGE) {
                            written.add(at / page);
                        }
                    }
                } else {
                    long first = iova / page;
                    int count = 1 + random.nextInt(9000);
                    DirtyBitmap told = new DirtyBitmap(count);
                    assertThat(one.report(first * page, count * page, told)).isEqualTo(count * page);
                    TreeSet<Long> expected = new TreeSet<>(written.subSet(first, first + count));
                    TreeSet<Long> found = new TreeSet<>();
                    for (long at = told.nextSet(0); at >= 0; at = told.nextSet(at + 1)) {
                        found.add(first + at);
                    }
                    assertThat(found).as("seed %d, step %d", seed, step).isEqualTo(expected);
                    written.removeAll(expected);
                }
            }
        }
    }

    private static DeviceSpec tracked() {
        return new DeviceSpec("gpu0", "gpu", "c0", 4096, 0, 64 * PAGE, 1000 * PAGE, "HARDWARE_TRACKED");
    }

    private static DirtyReport sync(Machine machine, DirtyBitmap dirty) throws IommuException {
        return machine.space.report(false, dirty, new DirtyBitmap(machine.memory.pages()));
    }

    @Test
    void aDeviceThatIsTrackedTellsWhatItsEngineHasWritten() throws DeviceException, IommuException {
        try (Machine machine = new Machine(tracked())) {
            machine.run();
            machine.ticker.pass(10);
            assertThat(machine.space.startTracking()).isEmpty();
            machine.ticker.pass(7);
            DirtyBitmap dirty = new DirtyBitmap(machine.memory.pages());
            assertThat(sync(machine, dirty).dmaDirtyPages()).isEqualTo(7);
            long first = machine.layout.pinned("gpu0").firstPage();
            assertThat(dirty.nextSet(0)).isEqualTo(first + 10);
            assertThat(dirty.takeRun(first + 10, 100)).isEqualTo(7);
            assertThat(sync(machine, dirty).dmaDirtyPages()).isZero();
        }
    }

    @Test
    void itsFaultsAreSwitchedOnAndOffWithThoseOfTheDevice() throws DeviceException, IommuException {
        try (Machine machine = new Machine(tracked())) {
            machine.run();
            DirtyBitmap dirty = new DirtyBitmap(machine.memory.pages());
            DmaLoggingFaults switches = machine.faults.dmaLogging();
            switches.failStart();
            assertThat(machine.space.startTracking()).singleElement().asString().contains("fault switched on");
            assertThat(sync(machine, dirty).pinnedPages()).isEqualTo(64);
            machine.faults.clear();
            switches.grantPages(64 * 1024);
            assertThat(machine.space.startTracking()).isEmpty();
            machine.ticker.pass(1);
            assertThat(sync(machine, dirty).dmaDirtyPages())
                    .as("pages of 64 KiB")
                    .isEqualTo(16);
            for (Runnable fault :
                    List.<Runnable>of(switches::failReport, switches::shortReport, switches::strayReport)) {
                machine.faults.clear();
                machine.space.startTracking();
                fault.run();
                machine.ticker.pass(1);
                DirtyReport report = sync(machine, dirty);
                assertThat(report.dmaDirtyPages()).isEqualTo(64);
                assertThat(report.warnings()).singleElement().asString().contains("gpu0");
            }
        }
    }
}
