package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.device.DeviceException;
import io.godwit.device.DeviceFaults;
import io.godwit.device.DeviceModels;
import io.godwit.device.DeviceState;
import io.godwit.device.MigTransitions;
import io.godwit.device.VfioDevice;
import io.godwit.memory.DirtyBitmap;
import io.godwit.memory.DirtyReport;
import io.godwit.memory.IommuException;
import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.Digests;
import io.godwit.stream.Preamble;
import io.godwit.stream.RamSender;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamSink;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.WriteRule;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.LongConsumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * Memory that devices write, from the first sync to the last page, as a save path does it: their containers, the pages
 * held back and the sender, with time and syncs in whatever order a seed gives.
 */
class DmaMigrationTest {
    private static final Config CONFIG = ConfigFactory.load();
    private static final StreamSettings STREAM = StreamSettings.from(CONFIG);
    private static final long MIB = 1 << 20;
    private static final int PAGE = GuestMemory.PAGE_SIZE;
    private static final StreamSink NOTHING = new StreamSink() {
        @Override
        public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) {
            throw new IllegalStateException("no device is in the preamble");
        }

        @Override
        public void vcpu(int index, byte[] state) {}
    };

    private final Arena arena = Arena.ofShared();
    private final List<LongConsumer> clocks = new ArrayList<>();
    private final Map<String, DeviceFaults> faults = new HashMap<>();
    private final Map<String, IommuSpace> spaces = new LinkedHashMap<>();
    private final Map<String, VfioDevice> devices = new LinkedHashMap<>();
    private final SentRuns sent = new SentRuns();

    private VmSpec spec;
    private GuestLayout layout;
    private GuestMemory memory;
    private SavePages pages;
    private StreamWriter writer;
    private RamSender sender;

    @AfterEach
    void free() {
        devices.values().forEach(VfioDevice::close);
        arena.close();
    }

    private void vm(List<ContainerSpec> containers, DeviceSpec... specs) throws DeviceException {
        spec = new VmSpec(
                "vm-1", "soft", 16 * MIB, 1, new WorkloadSpec(0, 0, false), List.of(specs), 1000, containers, "");
        layout = new GuestLayout(spec);
        memory = new GuestMemory(arena.allocate(spec.memoryBytes(), PAGE));
        DeviceModels models =
                DeviceModels.withFaults(CONFIG, name -> faults.computeIfAbsent(name, _ -> new DeviceFaults()));
        for (DeviceSpec device : specs) {
            IommuSpace space = spaces.computeIfAbsent(
                    device.container(),
                    name -> IommuSpace.of(name, memory, layout.container(name).viommu(), CONFIG));
            devices.put(device.name(), models.create(device, layout, space, (_, step) -> {
                clocks.add(step);
                return () -> clocks.remove(step);
            }));
        }
    }

    private static DeviceSpec device(String name, String container, long pinned, long rate, String policy) {
        return new DeviceSpec(name, "gpu", container, 4096, 0, pinned, rate, policy);
    }

    private void pass(long millis) {
        clocks.forEach(clock -> clock.accept(millis * 1_000_000));
    }

    private void walk(DeviceState target) throws DeviceException {
        for (VfioDevice device : devices.values()) {
            while (MigTransitions.nextHop(device.state(), target, device.supportsPreCopy(), device.supportsP2p())
                    instanceof MigTransitions.Hop.Step(var next)) {
                device.step(next);
            }
        }
    }

    /** As SaveSetup does. */
    private void begin() throws DeviceException, IOException {
        walk(DeviceState.PRE_COPY);
        spaces.values().forEach(IommuSpace::startTracking);
        pages = new SavePages(memory.pages());
        pages.allPending();
        writer = sent.writer(STREAM);
        writer.preamble(new Preamble("m", "vm-1", 1, PAGE, memory.bytes(), 1, "soft", List.of(), false));
        sender = writer.sender(memory);
    }

    /** As PreCopy does at a tick; {@code between} happens between the reports of two containers, and after the last. */
    private List<DirtyReport> sync(Runnable between) throws IommuException {
        List<DirtyReport> reports = new ArrayList<>();
        DirtyBitmap heldBack = pages.syncing();
        for (IommuSpace space : spaces.values()) {
            reports.add(space.report(false, pages.pending(), heldBack));
            between.run();
        }
        pages.synced();
        return reports;
    }

    /** As StandStill and StopAndCopy do; the destination then has all of it. */
    private List<DirtyReport> stop() throws Exception {
        walk(DeviceState.STOP_COPY);
        pass(1000);
        pages.release();
        List<DirtyReport> reports = new ArrayList<>();
        for (IommuSpace space : spaces.values()) {
            reports.add(space.report(true, pages.pending(), new DirtyBitmap(memory.pages())));
        }
        sender.sendStopped(pages.pending(), () -> false);
        writer.vcpu(0, new byte[0]);
        writer.end(Digests.NONE);
        GuestMemory target = new GuestMemory(arena.allocate(memory.bytes(), PAGE));
        sent.receive(STREAM, target, NOTHING);
        for (DeviceSpec device : spec.devices()) {
            assertThat(WriteRule.violation(
                            target,
                            layout.pinned(device.name()),
                            devices.get(device.name()).dmaWrites()))
                    .as("at the destination: %s", device)
                    .isEmpty();
        }
        assertThat(target.segment().mismatch(memory.segment())).isEqualTo(-1);
        return reports;
    }

    private long timesSent(long page, int fromRun) throws IOException {
        return sent.runs().stream().skip(fromRun).filter(run -> run.holds(page)).count();
    }

    @Test
    void pagesThatAreKnownToBeDirtyAtTheStopCountAtEverySyncAndAreSentOnceThen() throws Exception {
        vm(List.of(), device("gpu0", "c0", 2 * MIB, 1000 * PAGE, "PERSISTENT"));
        GuestLayout.Range pinned = layout.pinned("gpu0");
        begin();
        for (int tick = 0; tick < 5; tick++) {
            assertThat(sync(() -> pass(10))).containsExactly(new DirtyReport(512, 0, true, List.of()));
            sender.send(pages.pending(), () -> false);
        }
        int before = sent.runs().size();
        for (long page = 0; page < memory.pages(); page++) {
            boolean known = page >= pinned.firstPage() && page < pinned.firstPage() + pinned.pages();
            assertThat(timesSent(page, 0)).as("page %d before the stop", page).isEqualTo(known ? 0 : 1);
        }
        assertThat(stop()).containsExactly(new DirtyReport(512, 0, true, List.of()));
        for (long page = 0; page < memory.pages(); page++) {
            boolean known = page >= pinned.firstPage() && page < pinned.firstPage() + pinned.pages();
            assertThat(timesSent(page, before)).as("page %d at the stop", page).isEqualTo(known ? 1 : 0);
        }
    }

    @Test
    void pinnedPagesGoAsRunsAndThoseNeverWrittenCostAHeader() throws Exception {
        // 50 ms at 1000 pages a second: 50 pages are written, 462 are zero
        vm(List.of(), device("gpu0", "c0", 2 * MIB, 1000 * PAGE, "PERSISTENT"));
        begin();
        sync(() -> pass(50));
        sender.send(pages.pending(), () -> false);
        int before = sent.runs().size();
        long bytes = writer.bytesWritten();
        stop();
        List<SentRuns.Run> last = sent.runs().subList(before, sent.runs().size());
        long first = layout.pinned("gpu0").firstPage();
        assertThat(last.getFirst().page()).isEqualTo(first);
        assertThat(last.getFirst().pages()).isEqualTo(50);
        assertThat(last.getFirst().zero()).isFalse();
        assertThat(last.subList(1, last.size())).hasSizeLessThanOrEqualTo(3).allMatch(SentRuns.Run::zero);
        assertThat(last.stream().mapToLong(SentRuns.Run::pages).sum()).isEqualTo(512);
        assertThat(writer.bytesWritten() - bytes).isBetween(50L * PAGE, 50L * PAGE + 500);
    }

    @Test
    void stopCopyOnlySurprisesAtTheStopWithAllThatIsPinned() throws Exception {
        vm(List.of(), device("gpu0", "c0", 2 * MIB, 1000 * PAGE, "STOP_COPY_ONLY"));
        begin();
        for (int tick = 0; tick < 3; tick++) {
            assertThat(sync(() -> pass(10))).containsExactly(new DirtyReport(0, 0, false, List.of()));
            sender.send(pages.pending(), () -> false);
        }
        assertThat(pages.pending().count()).as("it seems to have converged").isZero();
        assertThat(stop()).containsExactly(new DirtyReport(512, 0, false, List.of()));
    }

    @Test
    void hardwareTrackingLeavesTheStopWhatWasWrittenSinceTheLastSync() throws Exception {
        vm(List.of(), device("gpu0", "c0", 2 * MIB, 1000 * PAGE, "HARDWARE_TRACKED"));
        begin();
        for (int tick = 0; tick < 5; tick++) {
            sync(() -> pass(20));
            sender.send(pages.pending(), () -> false);
        }
        assertThat(stop()).containsExactly(new DirtyReport(0, 20, true, List.of()));
    }

    /**
     * Devices of every policy in two containers, one of them behind a vIOMMU whose guest maps anew all the time; logs of
     * pages of any size, that fail now and then. Whatever the order of things, the destination has it all.
     */
    @Test
    void noWriteIsLostWhateverThePolicyTheMappingsAndTheFaults() throws Exception {
        for (long seed = 0; seed < 60; seed++) {
            try (DmaMigrationRun run = new DmaMigrationRun()) {
                run.test.whole(new Random(seed));
            } catch (AssertionError e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    /** One run of the above, with memory of its own. */
    private record DmaMigrationRun(DmaMigrationTest test) implements AutoCloseable {
        DmaMigrationRun() {
            this(new DmaMigrationTest());
        }

        @Override
        public void close() {
            test.free();
        }
    }

    private void whole(Random random) throws Exception {
        String[] policies = {"PERSISTENT", "HARDWARE_TRACKED", "STOP_COPY_ONLY"};
        List<DeviceSpec> specs = new ArrayList<>();
        for (int i = 0; i < 2 + random.nextInt(5); i++) {
            specs.add(device(
                    "dev" + i,
                    "c" + i % 2,
                    PAGE * (1L + random.nextInt(500)),
                    (long) PAGE * random.nextInt(20_000),
                    policies[random.nextInt(3)]));
        }
        vm(List.of(new ContainerSpec("c1", true, 10 * MIB * random.nextInt(3))), specs.toArray(DeviceSpec[]::new));
        for (DeviceSpec device : specs) {
            if (random.nextBoolean()) {
                faults.get(device.name()).dmaLogging().grantPages((long) PAGE << random.nextInt(10));
            }
        }
        walk(DeviceState.RUNNING);
        pass(random.nextInt(100));
        begin();
        for (int step = random.nextInt(40); step > 0; step--) {
            switch (random.nextInt(6)) {
                case 0, 1 -> sync(() -> pass((long) random.nextInt(3) * random.nextInt(20)));
                case 2 -> {
                    int runs = 1 + random.nextInt(20);
                    int[] left = {runs};
                    sender.send(pages.pending(), () -> left[0]-- == 0);
                }
                case 3 -> {
                    DeviceFaults which = faults.get("dev" + random.nextInt(specs.size()));
                    switch (random.nextInt(5)) {
                        case 0 -> which.dmaLogging().failReport();
                        case 1 -> which.dmaLogging().shortReport();
                        case 2 -> which.dmaLogging().failStart();
                        default -> which.dmaLogging().clear();
                    }
                }
                default -> pass(random.nextInt(50));
            }
        }
        stop();
    }
}
