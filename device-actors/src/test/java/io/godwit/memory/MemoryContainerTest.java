package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class MemoryContainerTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final int PAGES = 64;

    private final GuestMemory memory =
            new GuestMemory(Arena.ofAuto().allocate((long) PAGES * GuestMemory.PAGE_SIZE, GuestMemory.PAGE_SIZE));
    private final IommuSpace space =
            IommuSpace.of("c0", memory, false, KIT.system().settings().config());
    private final TestProbe<MemoryContainer.Reply> probe = KIT.createTestProbe();

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
    }

    @Test
    void syncsThePinsOfItsDevicesIntoTheBitmaps() throws IommuException {
        DmaPort port = space.attach("gpu0", ReportingPolicy.PERSISTENT);
        space.map(1L << 32, 0, 4096);
        port.pin(1L << 32, 4096);
        ActorRef<MemoryContainer.Command> container = KIT.spawn(MemoryContainer.create("c0", space, Runnable::run));
        DirtyBitmap dirty = new DirtyBitmap(PAGES);
        DirtyBitmap heldBack = new DirtyBitmap(PAGES);
        container.tell(new MemoryContainer.StartTracking(probe.ref()));
        probe.expectMessage(new MemoryContainer.TrackingChanged("c0", List.of()));
        container.tell(new MemoryContainer.Sync(dirty, heldBack, false, probe.ref()));
        probe.expectMessage(new MemoryContainer.Synced("c0", 1, 0, true, List.of()));
        assertThat(heldBack.get(0)).isTrue();
        container.tell(new MemoryContainer.Describe(probe.ref()));
        probe.expectMessage(new MemoryContainer.Described(
                "c0", true, List.of("gpu0"), List.of(new IovaMapping(1L << 32, 0, 4096)), 1));
        container.tell(new MemoryContainer.StopTracking(probe.ref()));
        probe.expectMessage(new MemoryContainer.TrackingChanged("c0", List.of()));
        assertThat(space.tracking()).isFalse();
    }

    @Test
    void saysWhichLogsAreAtFaultAndGoesOn() throws IommuException {
        FakeDmaLog log = new FakeDmaLog();
        DmaPort port = space.attach("gpu0", ReportingPolicy.HARDWARE_TRACKED, log);
        space.map(1L << 32, 0, 8192);
        port.pin(1L << 32, 8192);
        ActorRef<MemoryContainer.Command> container = KIT.spawn(MemoryContainer.create("c0", space, Runnable::run));
        DirtyBitmap dirty = new DirtyBitmap(PAGES);
        log.failReport = true;
        container.tell(new MemoryContainer.StartTracking(probe.ref()));
        probe.expectMessage(new MemoryContainer.TrackingChanged("c0", List.of()));
        LoggingTestKit.warn("container c0: device gpu0: its DMA log is lost").expect(KIT.system(), () -> {
            container.tell(new MemoryContainer.Sync(dirty, new DirtyBitmap(PAGES), false, probe.ref()));
            MemoryContainer.Synced synced = probe.expectMessageClass(MemoryContainer.Synced.class);
            assertThat(synced.dmaDirtyPages()).isEqualTo(2);
            assertThat(synced.warnings()).hasSize(1);
            return synced;
        });
        log.failStart = true;
        container.tell(new MemoryContainer.StartTracking(probe.ref()));
        assertThat(probe.expectMessageClass(MemoryContainer.TrackingChanged.class)
                        .warnings())
                .singleElement()
                .asString()
                .startsWith("device gpu0: DMA logging could not be started");
    }

    @Test
    void answersASyncWithoutTrackingWithTheReason() {
        ActorRef<MemoryContainer.Command> container = KIT.spawn(MemoryContainer.create("c0", space, Runnable::run));
        container.tell(new MemoryContainer.Sync(new DirtyBitmap(PAGES), new DirtyBitmap(PAGES), false, probe.ref()));
        assertThat(probe.expectMessageClass(MemoryContainer.ContainerFailed.class)
                        .reason())
                .contains("container c0")
                .contains("tracking is off");
    }

    @Test
    void doesOneThingAtATimeAndAnswersWhatDoesNotFitItsQueue() {
        Deque<Runnable> work = new ArrayDeque<>();
        ActorRef<MemoryContainer.Command> container = KIT.spawn(MemoryContainer.create("c0", space, task -> {
            synchronized (work) {
                work.add(task);
            }
        }));
        int room = KIT.system().settings().config().getInt("godwit.memory.stash-max");
        for (int i = 0; i < room + 2; i++) {
            container.tell(new MemoryContainer.StartTracking(probe.ref()));
        }
        assertThat(probe.expectMessageClass(MemoryContainer.ContainerFailed.class)
                        .reason())
                .contains(room + " requests wait");
        synchronized (work) {
            assertThat(work).hasSize(1);
        }
    }

    @Test
    void answersWhenTheDataPlaneIsClosed() {
        ActorRef<MemoryContainer.Command> container = KIT.spawn(MemoryContainer.create("c0", space, task -> {
            throw new RejectedExecutionException();
        }));
        container.tell(new MemoryContainer.StartTracking(probe.ref()));
        assertThat(probe.expectMessageClass(MemoryContainer.ContainerFailed.class)
                        .reason())
                .contains("no more work");
    }
}
