package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Devices that log their own DMA, in an address space that drives their logs. */
class DmaLogsTest {
    private static final int PAGE = GuestMemory.PAGE_SIZE;
    private static final int PAGES = 512;
    private static final long LOW = 1L << 28;
    private static final long HIGH = 1L << 40;

    private final Arena arena = Arena.ofShared();
    private final GuestMemory memory = new GuestMemory(arena.allocate((long) PAGES * PAGE, PAGE));
    private final IommuSpace space = new IommuSpace("c0", memory, 16, false);
    private final FakeDmaLog log = new FakeDmaLog();
    private final DirtyBitmap dirty = new DirtyBitmap(PAGES);
    private final DirtyBitmap heldBack = new DirtyBitmap(PAGES);

    @AfterEach
    void free() {
        arena.close();
    }

    private DmaPort tracked(long iova, long firstPage, long pages) throws IommuException {
        DmaPort port = space.attach("gpu0", ReportingPolicy.HARDWARE_TRACKED, log);
        space.map(iova, firstPage * PAGE, pages * PAGE);
        port.pin(iova, pages * PAGE);
        return port;
    }

    private static Set<Long> pages(DirtyBitmap bitmap) {
        Set<Long> set = new HashSet<>();
        for (long page = bitmap.nextSet(0); page >= 0; page = bitmap.nextSet(page + 1)) {
            set.add(page);
        }
        return set;
    }

    @Test
    void aDeviceWithoutALogCannotBeTracked() {
        assertThatThrownBy(() -> space.attach("gpu0", ReportingPolicy.HARDWARE_TRACKED))
                .hasMessage("container c0: device gpu0 has no log of its DMA writes; HARDWARE_TRACKED needs one");
    }

    @Test
    void loggingStartsReportsAndStopsWithTracking() throws IommuException {
        DmaPort port = tracked(HIGH, 20, 8);
        space.map(LOW, 0, PAGE);
        port.increment(HIGH, 8, log);
        assertThat(space.startTracking()).isEmpty();
        assertThat(log.started).containsExactly(List.of(new IovaRange(LOW, PAGE), new IovaRange(HIGH, 8L * PAGE)));
        port.increment(HIGH + 2 * PAGE, 2, log);
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(0, 2, true, List.of()));
        assertThat(pages(dirty)).containsExactlyInAnyOrder(22L, 23L);
        assertThat(log.reports).containsExactly(new IovaRange(LOW, PAGE), new IovaRange(HIGH, 8L * PAGE));
        dirty.clear();
        assertThat(space.report(true, dirty, heldBack)).isEqualTo(new DirtyReport(0, 0, true, List.of()));
        assertThat(pages(dirty)).isEmpty();
        assertThat(pages(heldBack)).isEmpty();
        assertThat(space.stopTracking()).isEmpty();
        assertThat(log.stops).isEqualTo(1);
        assertThat(space.startTracking()).isEmpty();
        assertThat(log.started).hasSize(2);
    }

    @Test
    void aPageOfTheDeviceMarksEveryGuestPageItCoversInWhateverMapping() throws IommuException {
        log.pageBytes = 64 * 1024;
        DmaPort port = tracked(HIGH + 4 * PAGE, 100, 20);
        space.map(HIGH, 300L * PAGE, 4L * PAGE);
        space.map(HIGH + 64 * PAGE, 400L * PAGE, 4L * PAGE);
        space.startTracking();
        port.increment(HIGH + 5 * PAGE, 1, log);
        space.report(false, dirty, heldBack);
        assertThat(pages(dirty)).isEqualTo(range(range(new HashSet<>(), 100, 112), 300, 304));
        assertThat(log.reports)
                .as("whole pages of the device, each once")
                .containsExactly(new IovaRange(HIGH, 2 * 64 * 1024), new IovaRange(HIGH + 64 * PAGE, 64 * 1024));
    }

    private static Set<Long> range(Set<Long> set, long from, long to) {
        for (long page = from; page < to; page++) {
            set.add(page);
        }
        return set;
    }

    @Test
    void aLogLargerThanOneReportIsReadPieceByPiece() throws IommuException {
        long pages = 200_000;
        try (Arena big = Arena.ofShared()) {
            // touched at its ends only
            GuestMemory much = new GuestMemory(big.allocate(pages * PAGE, PAGE));
            IommuSpace one = new IommuSpace("c1", much, 16, false);
            DmaPort port = one.attach("gpu0", ReportingPolicy.HARDWARE_TRACKED, log);
            one.map(HIGH, 0, pages * PAGE);
            port.pin(HIGH, pages * PAGE);
            one.startTracking();
            port.increment(HIGH, 1, log);
            port.increment(HIGH + (pages - 1) * PAGE, 1, log);
            DirtyBitmap all = new DirtyBitmap(pages);
            assertThat(one.report(false, all, new DirtyBitmap(pages)).dmaDirtyPages())
                    .isEqualTo(2);
            assertThat(pages(all)).containsExactlyInAnyOrder(0L, pages - 1);
            assertThat(log.reports).hasSize(4);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -4096, 1024, 3000, 12288, 1L << 40})
    void aPageSizeThatCannotBeIsRefusedAndThePinsCountAsDirty(long granted) throws IommuException {
        log.pageBytes = granted;
        tracked(HIGH, 20, 8);
        assertThat(space.startTracking())
                .singleElement()
                .asString()
                .startsWith(
                        "device gpu0: DMA logging could not be started (it granted pages of " + granted + " bytes;");
        assertThat(log.stops).isEqualTo(1);
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(8, 0, true, List.of()));
    }

    @Test
    void aLogThatDoesNotStartMakesItsPinsCountAtEverySyncAndDirtyAtTheStop() throws IommuException {
        log.failStart = true;
        DmaPort port = tracked(HIGH, 20, 8);
        assertThat(space.startTracking())
                .containsExactly("device gpu0: DMA logging could not be started (no room for a log): all its pinned"
                        + " pages count as dirty until tracking stops");
        for (int sync = 0; sync < 2; sync++) {
            port.increment(HIGH, 8, log);
            heldBack.clear();
            assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(8, 0, true, List.of()));
            assertThat(pages(dirty)).isEmpty();
            assertThat(heldBack.count()).isEqualTo(8);
        }
        space.report(true, dirty, heldBack);
        assertThat(dirty.count()).isEqualTo(8);
        space.stopTracking();
        log.failStart = false;
        assertThat(space.startTracking()).isEmpty();
        dirty.clear();
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(0, 0, true, List.of()));
    }

    private static void fault(FakeDmaLog log, String which) {
        switch (which) {
            case "failing" -> log.failReport = true;
            case "short" -> log.shortReport = true;
            case "stray" -> log.strayReport = true;
            default -> throw new IllegalArgumentException(which);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"failing", "short", "stray"})
    void afterAFaultInAReportAllPinsAreDirtyAtThatSyncAndTheLogStartsAnew(String which) throws IommuException {
        DmaPort port = tracked(HIGH, 20, 8);
        space.startTracking();
        fault(log, which);
        port.increment(HIGH, 1, log);
        DirtyReport report = space.report(false, dirty, heldBack);
        assertThat(report.dmaDirtyPages()).isEqualTo(8);
        assertThat(report.warnings())
                .singleElement()
                .asString()
                .startsWith("device gpu0: its DMA log is lost (")
                .endsWith("all its pinned pages count as dirty at this sync");
        assertThat(pages(dirty)).isEqualTo(range(new HashSet<>(), 20, 28));
        assertThat(log.started).hasSize(2);
        log.failReport = false;
        log.shortReport = false;
        log.strayReport = false;
        dirty.clear();
        port.increment(HIGH + PAGE, 1, log);
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(0, 1, true, List.of()));
        assertThat(pages(dirty)).containsExactly(21L);
    }

    @Test
    void aLogThatDoesNotStartAnewIsMadeUpForByItsPinsUntilTrackingStops() throws IommuException {
        DmaPort port = tracked(HIGH, 20, 8);
        space.startTracking();
        log.failReport = true;
        log.failStart = true;
        DirtyReport report = space.report(false, dirty, heldBack);
        assertThat(report.pinnedPages()).isEqualTo(8);
        assertThat(report.warnings()).singleElement().asString().contains("the log does not start anew");
        assertThat(heldBack.count()).isEqualTo(8);
        log.reports.clear();
        port.increment(HIGH, 8, log);
        assertThat(space.report(true, dirty, heldBack)).isEqualTo(new DirtyReport(8, 0, true, List.of()));
        assertThat(dirty.count()).isEqualTo(8);
        assertThat(log.reports).as("it is not asked any more").isEmpty();
    }

    @Test
    void aFaultInTheLastReportMakesAllItsPinsDirty() throws IommuException {
        tracked(HIGH, 20, 8);
        space.startTracking();
        log.failReport = true;
        DirtyReport report = space.report(true, dirty, heldBack);
        assertThat(report.warnings()).hasSize(1);
        assertThat(pages(dirty)).isEqualTo(range(new HashSet<>(), 20, 28));
        assertThat(log.started)
                .as("nothing runs, so nothing is to be logged any more")
                .hasSize(1);
    }

    @Test
    void aLogThatDoesNotStopIsSaid() throws IommuException {
        tracked(HIGH, 20, 8);
        space.startTracking();
        log.failStop = true;
        assertThat(space.stopTracking()).containsExactly("device gpu0: DMA logging did not stop: it goes on logging");
        assertThat(space.tracking()).isFalse();
    }

    @Test
    void whatTheLogIsNotAskedToCoverCountsAsDirty() throws IommuException {
        DmaPort port = tracked(HIGH, 20, 4);
        space.startTracking();
        space.map(LOW, 200L * PAGE, 4L * PAGE);
        port.pin(LOW, 4L * PAGE);
        port.increment(LOW, 1, log);
        assertThat(space.report(false, dirty, heldBack).dmaDirtyPages()).isEqualTo(4);
        dirty.clear();
        port.increment(LOW, 1, log);
        port.unpin(LOW, 4L * PAGE);
        space.report(false, dirty, heldBack);
        assertThat(pages(dirty)).isEqualTo(range(new HashSet<>(), 200, 204));
    }

    @Test
    void aDeviceThatComesWhileTrackingIsOnCountsByItsPins() throws IommuException {
        space.startTracking();
        tracked(HIGH, 20, 8);
        assertThat(space.report(false, dirty, heldBack).pinnedPages()).isEqualTo(8);
        space.stopTracking();
        space.startTracking();
        assertThat(space.report(false, dirty, heldBack).pinnedPages()).isZero();
    }

    @Test
    void aDeviceThatGoesLeavesWhatItHasWritten() throws IommuException {
        DmaPort port = tracked(HIGH, 20, 8);
        space.startTracking();
        port.increment(HIGH + 3 * PAGE, 1, log);
        port.detach();
        assertThat(log.stops).isEqualTo(1);
        space.report(false, dirty, heldBack);
        assertThat(pages(dirty)).containsExactly(23L);
    }

    @Test
    void anUnmapFetchesTheLogOfItsRangeBeforeTheMappingGoes() throws IommuException {
        log.pageBytes = 4 * PAGE;
        DmaPort port = tracked(HIGH, 20, 8);
        space.map(HIGH + 8 * PAGE, 50L * PAGE, 8L * PAGE);
        port.pin(HIGH + 8 * PAGE, 8L * PAGE);
        space.startTracking();
        port.increment(HIGH + 4 * PAGE, 5, log);
        Unmapped unmapped = space.unmap(HIGH, 8L * PAGE);
        assertThat(unmapped.pinned()).containsExactly(new IovaMapping(HIGH, 20L * PAGE, 8L * PAGE));
        assertThat(unmapped.dirty()).containsExactly(new IovaMapping(HIGH + 4 * PAGE, 24L * PAGE, 4L * PAGE));
        assertThat(log.reports).containsExactly(new IovaRange(HIGH, 8L * PAGE));
        space.report(true, dirty, heldBack);
        assertThat(pages(dirty)).isEqualTo(range(range(new HashSet<>(), 24, 28), 50, 54));
    }

    @Test
    void anUnmapWhoseLogIsLostMakesAllPinsOfTheDeviceDirty() throws IommuException {
        DmaPort port = tracked(HIGH, 20, 8);
        space.map(HIGH + 8 * PAGE, 50L * PAGE, 8L * PAGE);
        port.pin(HIGH + 8 * PAGE, 8L * PAGE);
        space.startTracking();
        log.failReport = true;
        assertThat(space.unmap(HIGH, 8L * PAGE).dirty()).containsExactly(new IovaMapping(HIGH, 20L * PAGE, 8L * PAGE));
        log.failReport = false;
        assertThat(space.report(false, dirty, heldBack).warnings()).hasSize(1);
        assertThat(pages(dirty)).isEqualTo(range(range(new HashSet<>(), 20, 28), 50, 58));
    }

    @Test
    void behindAViommuAllAddressesAreLoggedAndMappedRangesOnlyAreRead() throws IommuException {
        IommuSpace behind = new IommuSpace("c1", memory, 16, true);
        DmaPort port = behind.attach("gpu0", ReportingPolicy.HARDWARE_TRACKED, log);
        Consumer<Long> map = iova -> {
            try {
                behind.map(iova, 0, PAGE);
                port.pin(iova, PAGE);
            } catch (IommuException e) {
                throw new IllegalStateException(e);
            }
        };
        map.accept(HIGH);
        behind.startTracking();
        assertThat(log.started).containsExactly(List.of(new IovaRange(0, 1L << 48)));
        behind.unmap(HIGH, PAGE);
        map.accept(LOW);
        port.increment(LOW, 1, log);
        log.reports.clear();
        assertThat(behind.report(true, dirty, heldBack).dmaDirtyPages()).isEqualTo(1);
        assertThat(log.reports).containsExactly(new IovaRange(LOW, PAGE));
    }
}
