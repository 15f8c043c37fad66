package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IommuSpaceTest {
    private static final int PAGE = GuestMemory.PAGE_SIZE;
    private static final int PAGES = 256;
    private static final long IOVA = 1L << 32;
    private static final List<ReportingPolicy> POLICIES =
            List.of(ReportingPolicy.PERSISTENT, ReportingPolicy.HARDWARE_TRACKED, ReportingPolicy.STOP_COPY_ONLY);

    private final Arena arena = Arena.ofShared();
    private final GuestMemory memory = new GuestMemory(arena.allocate((long) PAGES * PAGE, PAGE));
    private final IommuSpace space = new IommuSpace("c0", memory, 8, false);
    private final FakeDmaLog log = new FakeDmaLog();
    private final DirtyBitmap dirty = new DirtyBitmap(PAGES);
    private final DirtyBitmap heldBack = new DirtyBitmap(PAGES);

    @AfterEach
    void free() {
        arena.close();
    }

    private DmaPort port(ReportingPolicy policy, long firstPage, long pages) throws IommuException {
        DmaPort port = space.attach("dev" + firstPage, policy, log);
        space.map(IOVA + firstPage * PAGE, firstPage * PAGE, pages * PAGE);
        port.pin(IOVA + firstPage * PAGE, pages * PAGE);
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
    void translatesWithinAMappingAndNamesTheAddressOutsideOne() throws IommuException {
        space.map(IOVA, 4L * PAGE, 2L * PAGE);
        assertThat(space.translate(IOVA + PAGE + 12)).isEqualTo(5L * PAGE + 12);
        assertThatThrownBy(() -> space.translate(IOVA + 2L * PAGE))
                .isInstanceOf(IommuException.class)
                .hasMessage("container c0: nothing is mapped at iova 0x100002000");
    }

    @Test
    void refusesMappingsThatOverlapLeaveMemoryAreNotWholePagesOrAreTooMany() throws IommuException {
        space.map(IOVA, 0, 2L * PAGE);
        assertThatThrownBy(() -> space.map(IOVA + PAGE, 0, PAGE)).hasMessageContaining("overlaps the mapping at");
        assertThatThrownBy(() -> space.map(IOVA - PAGE, 0, 2L * PAGE)).hasMessageContaining("overlaps the mapping at");
        assertThatThrownBy(() -> space.map(0, (PAGES - 1L) * PAGE, 2L * PAGE)).hasMessageContaining("guest memory");
        assertThatThrownBy(() -> space.map(12, 0, PAGE)).hasMessageContaining("whole pages");
        for (int i = 1; i < 8; i++) {
            space.map(IOVA + i * 16L * PAGE, 0, PAGE);
        }
        assertThatThrownBy(() -> space.map(0, 0, PAGE)).hasMessageContaining("8 mappings, the most allowed");
    }

    @Test
    void refusesToCutAMappingInTwoByAnUnmap() throws IommuException {
        space.map(IOVA, 0, 4L * PAGE);
        assertThatThrownBy(() -> space.unmap(IOVA + PAGE, PAGE)).hasMessageContaining("in two");
        assertThat(space.mappings()).hasSize(1);
    }

    @Test
    void aDmaWriteGoesThroughTheMappingAndOnlyToPinnedPages() throws IommuException {
        DmaPort port = space.attach("gpu0", ReportingPolicy.PERSISTENT);
        space.map(IOVA, 8L * PAGE, 2L * PAGE);
        space.map(IOVA + 2L * PAGE, 2L * PAGE, 2L * PAGE);
        port.pin(IOVA, 3L * PAGE);
        port.increment(IOVA, 3);
        assertThat(memory.segment().get(ValueLayout.JAVA_LONG, 9L * PAGE)).isEqualTo(1);
        assertThat(memory.segment().get(ValueLayout.JAVA_LONG, 2L * PAGE)).isEqualTo(1);
        assertThatThrownBy(() -> port.increment(IOVA + 2L * PAGE, 2))
                .hasMessage("container c0: DMA by device gpu0 to iova 0x100003000, which it has not pinned");
        assertThat(port.counter(IOVA + 2L * PAGE))
                .as("a refused write writes nothing")
                .isEqualTo(1);
        assertThatThrownBy(() -> port.increment(IOVA + 8L * PAGE, 1)).hasMessageContaining("nothing is mapped");
        assertThatThrownBy(() -> port.pin(IOVA + 3L * PAGE, 2L * PAGE)).hasMessageContaining("nothing is mapped");
    }

    @Test
    void persistentPinsAreHeldBackAtEverySyncAndDirtyOnceStopped() throws IommuException {
        port(ReportingPolicy.PERSISTENT, 10, 3);
        space.startTracking();
        for (int sync = 0; sync < 2; sync++) {
            heldBack.clear();
            assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(3, 0, true, List.of()));
            assertThat(pages(dirty)).isEmpty();
            assertThat(pages(heldBack)).containsExactlyInAnyOrder(10L, 11L, 12L);
        }
        assertThat(space.report(true, dirty, heldBack)).isEqualTo(new DirtyReport(3, 0, true, List.of()));
        assertThat(pages(dirty)).containsExactlyInAnyOrder(10L, 11L, 12L);
        assertThat(pages(heldBack)).isEmpty();
    }

    @Test
    void stopCopyOnlyHidesItsPinsUntilTheStopAndSaysThatItCannotBeTrusted() throws IommuException {
        DmaPort port = port(ReportingPolicy.STOP_COPY_ONLY, 5, 2);
        space.startTracking();
        port.increment(IOVA + 5L * PAGE, 2);
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(0, 0, false, List.of()));
        assertThat(pages(dirty)).isEmpty();
        assertThat(pages(heldBack)).isEmpty();
        assertThat(space.report(true, dirty, heldBack)).isEqualTo(new DirtyReport(2, 0, false, List.of()));
        assertThat(pages(dirty)).containsExactlyInAnyOrder(5L, 6L);
    }

    @Test
    void policiesOfSeveralDevicesDoNotMix() throws IommuException {
        port(ReportingPolicy.PERSISTENT, 0, 1);
        DmaPort hardware = port(ReportingPolicy.HARDWARE_TRACKED, 1, 1);
        port(ReportingPolicy.STOP_COPY_ONLY, 2, 1);
        space.startTracking();
        hardware.increment(IOVA + PAGE, 1, log);
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(1, 1, false, List.of()));
        assertThat(pages(dirty)).containsExactly(1L);
        assertThat(pages(heldBack)).containsExactly(0L);
        assertThat(space.report(true, dirty, heldBack)).isEqualTo(new DirtyReport(2, 0, false, List.of()));
        assertThat(pages(dirty)).containsExactlyInAnyOrder(0L, 1L, 2L);
    }

    @Test
    void pagesUnpinnedDuringPreCopyAreDirtyOnceAndHeldBackNoMore() throws IommuException {
        DmaPort port = port(ReportingPolicy.PERSISTENT, 10, 4);
        space.startTracking();
        space.report(false, dirty, heldBack);
        port.increment(IOVA + 11L * PAGE, 1);
        assertThat(port.unpin(IOVA + 11L * PAGE, 2L * PAGE)).isEqualTo(2);
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(2, 2, true, List.of()));
        assertThat(pages(dirty)).containsExactlyInAnyOrder(11L, 12L);
        assertThat(pages(heldBack)).containsExactlyInAnyOrder(10L, 13L);
        dirty.clear();
        assertThat(space.report(false, dirty, heldBack)).isEqualTo(new DirtyReport(2, 0, true, List.of()));
        assertThat(pages(dirty)).isEmpty();
        assertThatThrownBy(() -> port.increment(IOVA + 11L * PAGE, 1)).hasMessageContaining("has not pinned");
    }

    @Test
    void anUnmapReturnsWhatWasPinnedInItAndReportsItDirty() throws IommuException {
        DmaPort port = space.attach("gpu0", ReportingPolicy.STOP_COPY_ONLY);
        space.map(IOVA, 40L * PAGE, 4L * PAGE);
        port.pin(IOVA + PAGE, 2L * PAGE);
        space.startTracking();
        Unmapped unmapped = space.unmap(IOVA, 4L * PAGE);
        assertThat(unmapped.pinned()).containsExactly(new IovaMapping(IOVA + PAGE, 41L * PAGE, 2L * PAGE));
        assertThat(unmapped.dirty()).isEqualTo(unmapped.pinned());
        space.report(false, dirty, heldBack);
        assertThat(pages(dirty)).containsExactlyInAnyOrder(41L, 42L);
        assertThat(port.pinnedPages()).isZero();
        assertThatThrownBy(() -> space.translate(IOVA)).hasMessageContaining("nothing is mapped");
    }

    @Test
    void aPageLetGoByOneDeviceStaysHeldBackWhileAnotherPinsIt() throws IommuException {
        DmaPort first = port(ReportingPolicy.PERSISTENT, 7, 1);
        DmaPort second = space.attach("other", ReportingPolicy.PERSISTENT);
        second.pin(IOVA + 7L * PAGE, PAGE);
        space.startTracking();
        first.unpin(IOVA + 7L * PAGE, PAGE);
        space.report(false, dirty, heldBack);
        assertThat(pages(heldBack)).containsExactly(7L);
    }

    @Test
    void noWriteReachesAPageAfterItsUnpinHasReturned() throws Exception {
        DmaPort port = port(ReportingPolicy.PERSISTENT, 0, 64);
        CompletableFuture<String> refused = CompletableFuture.supplyAsync(() -> {
            while (true) {
                try {
                    port.increment(IOVA, 64);
                } catch (IommuException e) {
                    return e.getMessage();
                }
            }
        });
        while (port.counter(IOVA + 63L * PAGE) == 0) {
            Thread.onSpinWait();
        }
        port.unpin(IOVA + 63L * PAGE, PAGE);
        long after = memory.segment().get(ValueLayout.JAVA_LONG, 63L * PAGE);
        assertThat(refused.get(10, TimeUnit.SECONDS)).contains("iova 0x10003f000, which it has not pinned");
        assertThat(memory.segment().get(ValueLayout.JAVA_LONG, 63L * PAGE)).isEqualTo(after);
        assertThat(memory.segment().get(ValueLayout.JAVA_LONG, 0))
                .as("the refused write wrote nothing at all")
                .isEqualTo(after);
    }

    @Test
    void refusesAReportWhileTrackingIsOff() {
        assertThatThrownBy(() -> space.report(false, dirty, heldBack)).hasMessageContaining("tracking is off");
    }

    /** What is reported, over any history of writes, unpins and syncs, covers every page written since its last copy. */
    @Test
    void noWriteIsLostUnderAnyPolicyAndAnyOrderOfEvents() throws IommuException {
        for (long seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            IommuSpace one = new IommuSpace("c" + seed, memory, 8, false);
            one.map(IOVA, 0, (long) PAGES * PAGE);
            FakeDmaLog own = new FakeDmaLog();
            own.pageBytes = (long) PAGE << random.nextInt(4);
            DmaPort[] ports = new DmaPort[3];
            for (int i = 0; i < ports.length; i++) {
                ReportingPolicy policy = POLICIES.get(i);
                ports[i] = one.attach(policy.name(), policy, own);
                ports[i].pin(IOVA + i * 64L * PAGE, 64L * PAGE);
            }
            one.startTracking();
            long[] copied = new long[PAGES];
            DirtyBitmap send = new DirtyBitmap(PAGES);
            DirtyBitmap kept = new DirtyBitmap(PAGES);
            send.setAll();
            for (int event = 0; event < 60; event++) {
                int which = random.nextInt(ports.length);
                DmaPort port = ports[which];
                long page = which * 64L + random.nextInt(64);
                switch (random.nextInt(4)) {
                    case 0 -> port.unpin(IOVA + page * PAGE, PAGE);
                    case 1 -> {
                        one.report(false, send, kept);
                        copy(send, kept, copied);
                    }
                    default -> {
                        try {
                            port.increment(IOVA + page * PAGE, 1, which == 1 ? own : DmaWrites.UNRECORDED);
                        } catch (IommuException e) {
                            assertThat(e).hasMessageContaining("has not pinned");
                        }
                    }
                }
            }
            one.report(true, send, kept);
            copy(send, new DirtyBitmap(PAGES), copied);
            for (int page = 0; page < PAGES; page++) {
                assertThat(copied[page])
                        .as("seed %d, page %d", seed, page)
                        .isEqualTo(memory.segment().get(ValueLayout.JAVA_LONG, (long) page * PAGE));
            }
        }
    }

    private void copy(DirtyBitmap send, DirtyBitmap kept, long[] copied) {
        for (long page : pages(send)) {
            if (!kept.get(page)) {
                send.clearRange(page, 1);
                copied[(int) page] = memory.segment().get(ValueLayout.JAVA_LONG, page * PAGE);
            }
        }
    }
}
