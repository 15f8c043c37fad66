package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

class DeviceTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final ExecutorService POOL = Executors.newVirtualThreadPerTaskExecutor();
    private static final long STATE = 3L << 20;

    private record Chunk(DeviceChunkKind kind, ByteBuffer bytes) {}

    private final TestProbe<Device.Reply> probe = KIT.createTestProbe();
    private final List<Chunk> sent = new ArrayList<>();
    private final DeviceSink sink = (device, kind, data) -> {
        ByteBuffer bytes = ByteBuffer.allocate(data.remaining());
        sent.add(new Chunk(kind, bytes.put(data).flip()));
    };

    @AfterAll
    static void stop() {
        KIT.shutdownTestKit();
        POOL.close();
    }

    private ActorRef<Device.Command> spawn(Machine machine, DeviceSpec spec) {
        return KIT.spawn(Device.create(spec.name(), machine.device, POOL));
    }

    private Device.Reply ask(
            ActorRef<Device.Command> device, Function<ActorRef<Device.Reply>, Device.Command> command) {
        device.tell(command.apply(probe.ref()));
        return probe.receiveMessage(Duration.ofSeconds(20));
    }

    private Device.Reply vm(ActorRef<Device.Command> device, RunState to, boolean prepare) {
        return ask(device, replyTo -> new Device.VmStateChanged(to, prepare, replyTo));
    }

    private static Device.Done done(String name, DeviceState state) {
        return new Device.Done(name, state);
    }

    @Test
    void aGpuMovesThroughTheHooksAndRunsAtTheDestination() throws DeviceException {
        moves(Machine.gpu(STATE, 1 << 20, 1 << 20));
    }

    @Test
    void aNicMovesThroughTheHooksAndRunsAtTheDestination() throws DeviceException {
        moves(Machine.nic(300_000));
    }

    @Test
    void aVnicMovesThroughTheHooksAndRunsAtTheDestination() throws DeviceException {
        moves(Machine.vnic(300_000));
        assertThat(kinds()).doesNotContain(DeviceChunkKind.INITIAL_END, DeviceChunkKind.PRECOPY);
    }

    private void moves(DeviceSpec spec) throws DeviceException {
        String name = spec.name();
        try (Machine from = new Machine(spec);
                Machine to = new Machine(spec)) {
            boolean p2p = from.device.supportsP2p();
            DeviceState saving = from.device.supportsPreCopy() ? DeviceState.PRE_COPY : DeviceState.RUNNING;
            DeviceState barrier = from.device.supportsPreCopy() ? DeviceState.PRE_COPY_P2P : DeviceState.RUNNING_P2P;
            ActorRef<Device.Command> source = spawn(from, spec);
            ActorRef<Device.Command> target = spawn(to, spec);
            assertThat(vm(source, RunState.RUNNING, true))
                    .isEqualTo(done(name, p2p ? DeviceState.RUNNING_P2P : DeviceState.STOP));
            assertThat(vm(source, RunState.RUNNING, false)).isEqualTo(done(name, DeviceState.RUNNING));
            from.ticker.pass(20);
            assertThat(ask(source, Device.SaveSetup::new)).isEqualTo(done(name, saving));
            long before = ((Device.Pending) ask(source, Device.SaveLivePending::new)).precopyBytes();
            Device.Iterated first =
                    (Device.Iterated) ask(source, replyTo -> new Device.SaveLiveIterate(sink, 1 << 20, replyTo));
            assertThat(first.bytes()).isLessThan(3 << 20);
            Device.Pending after = (Device.Pending) ask(source, Device.SaveLivePending::new);
            assertThat(before == 0 ? after.precopyBytes() == 0 : after.precopyBytes() < before)
                    .isTrue();
            assertThat(after.stopCopyBytes()).isPositive();
            from.ticker.pass(20);
            assertThat(vm(source, RunState.FINISH_MIGRATE, true)).isEqualTo(done(name, p2p ? barrier : saving));
            assertThat(vm(source, RunState.FINISH_MIGRATE, false)).isEqualTo(done(name, DeviceState.STOP_COPY));
            Device.Saved saved =
                    (Device.Saved) ask(source, replyTo -> new Device.SaveLiveCompletePrecopy(sink, replyTo));
            assertThat(saved.bytes() + first.bytes())
                    .isEqualTo(sent.stream()
                            .mapToLong(chunk -> chunk.bytes().limit())
                            .sum());
            assertThat(sent.getLast().kind()).isEqualTo(DeviceChunkKind.END);

            assertThat(ask(target, Device.LoadSetup::new)).isEqualTo(done(name, DeviceState.RESUMING));
            for (Chunk chunk : sent) {
                assertThat(ask(target, replyTo -> new Device.LoadState(chunk.kind(), chunk.bytes(), replyTo)))
                        .isEqualTo(new Device.Loaded(name, chunk.bytes().limit()));
            }
            assertThat(ask(target, Device.LoadCleanup::new)).isEqualTo(new Device.DigestTaken(name, saved.digest()));
            vm(target, RunState.RUNNING, true);
            assertThat(vm(target, RunState.RUNNING, false)).isEqualTo(done(name, DeviceState.RUNNING));
            assertThat(ask(source, Device.Cleanup::new)).isEqualTo(done(name, DeviceState.STOP));
        }
    }

    private List<String> history(ActorRef<Device.Command> device) {
        return ((Device.Described) ask(device, Device.Describe::new))
                .log().hooks().stream()
                        .map(seen -> seen.hook() + " " + String.join(",", seen.states())
                                + (seen.times() > 1 ? " x" + seen.times() : "")
                                + seen.failure().map(why -> ": " + why).orElse(""))
                        .toList();
    }

    @Test
    void whatADeviceSawOnBothSidesIsReadInOrderFromItsHistory() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 1 << 20, 0);
        try (Machine from = new Machine(spec);
                Machine to = new Machine(spec)) {
            ActorRef<Device.Command> source = spawn(from, spec);
            ActorRef<Device.Command> target = spawn(to, spec);
            vm(source, RunState.RUNNING, true);
            vm(source, RunState.RUNNING, false);
            ask(source, Device.LoadCleanup::new);
            ask(source, Device.SaveSetup::new);
            for (int i = 0; i < 100; i++) {
                ask(source, Device.SaveLivePending::new);
                ask(source, replyTo -> new Device.SaveLiveIterate(sink, 1 << 20, replyTo));
            }
            vm(source, RunState.FINISH_MIGRATE, true);
            vm(source, RunState.FINISH_MIGRATE, false);
            ask(source, Device.SaveLivePending::new);
            ask(source, replyTo -> new Device.SaveLiveCompletePrecopy(sink, replyTo));
            ask(source, Device.Cleanup::new);
            assertThat(history(source))
                    .containsExactly(
                            "VM_STATE_CHANGED(RUNNING, prepare) STOP,RUNNING_P2P",
                            "VM_STATE_CHANGED(RUNNING) RUNNING_P2P,RUNNING",
                            "LOAD_CLEANUP RUNNING: refused: not taken in RUNNING",
                            "SAVE_SETUP RUNNING,PRE_COPY",
                            "SAVE_LIVE_PENDING PRE_COPY x100",
                            "SAVE_LIVE_ITERATE PRE_COPY x100",
                            "VM_STATE_CHANGED(FINISH_MIGRATE, prepare) PRE_COPY,PRE_COPY_P2P",
                            "VM_STATE_CHANGED(FINISH_MIGRATE) PRE_COPY_P2P,STOP_COPY",
                            "SAVE_LIVE_PENDING STOP_COPY",
                            "SAVE_LIVE_COMPLETE_PRECOPY STOP_COPY",
                            "CLEANUP STOP_COPY,STOP");
            ask(target, Device.LoadSetup::new);
            for (Chunk chunk : sent) {
                ask(target, replyTo -> new Device.LoadState(chunk.kind(), chunk.bytes(), replyTo));
            }
            ask(target, Device.LoadCleanup::new);
            vm(target, RunState.RUNNING, true);
            vm(target, RunState.RUNNING, false);
            ask(target, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.COMPLETED, replyTo));
            assertThat(history(target))
                    .containsExactly(
                            "LOAD_SETUP STOP,RESUMING",
                            "LOAD_STATE(PRECOPY) RESUMING",
                            "LOAD_STATE(INITIAL_END) RESUMING",
                            "LOAD_STATE(PRECOPY) RESUMING x3",
                            "LOAD_STATE(CONFIG) RESUMING",
                            "LOAD_STATE(STOPCOPY) RESUMING",
                            "LOAD_STATE(END) RESUMING",
                            "LOAD_CLEANUP RESUMING,STOP",
                            "VM_STATE_CHANGED(RUNNING, prepare) STOP,RUNNING_P2P",
                            "VM_STATE_CHANGED(RUNNING) RUNNING_P2P,RUNNING",
                            "MIGRATION_STATUS_CHANGED(COMPLETED) RUNNING");
        }
    }

    @Test
    void aSecondMigrationGivesOutTheWholeStateAnew() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 0, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 1 << 20, replyTo));
            // nobody told the device that the first had ended
            assertThat(ask(device, Device.SaveSetup::new)).isEqualTo(done("gpu0", DeviceState.PRE_COPY));
            assertThat(((Device.Pending) ask(device, Device.SaveLivePending::new)).precopyBytes())
                    .isEqualTo(STATE);
            assertThat(history(device)).contains("SAVE_SETUP PRE_COPY,RUNNING,PRE_COPY");
        }
    }

    @Test
    void aDeviceWhoseStateIsIncompleteSaysSoBeforeItsVmIsToRun() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 0, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            ask(device, Device.LoadSetup::new);
            ask(device, replyTo -> new Device.LoadState(DeviceChunkKind.END, ByteBuffer.allocate(0), replyTo));
            assertThat(ask(device, Device.LoadCleanup::new))
                    .isEqualTo(new Device.Failed(
                            "gpu0",
                            DeviceHook.LOAD_CLEANUP,
                            "device gpu0 has not got all of its state: nothing came for the bytes from 0",
                            DeviceState.ERROR));
        }
    }

    private List<DeviceChunkKind> kinds() {
        return sent.stream().map(Chunk::kind).toList();
    }

    @Test
    void theEndOfItsInitialDataIsSaidOnceAndRightBehindIt() throws DeviceException {
        DeviceSpec spec = Machine.gpu(8 << 20, 1 << 20, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            assertThat(ask(device, Device.SaveLivePending::new))
                    .isEqualTo(new Device.Pending("gpu0", 1 << 20, 8 << 20, 8 << 20));
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 1 << 19, replyTo));
            assertThat(kinds()).as("a chunk is a MiB with its header").containsExactly(DeviceChunkKind.PRECOPY);
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 2 << 20, replyTo));
            assertThat(kinds().subList(1, 3)).containsExactly(DeviceChunkKind.PRECOPY, DeviceChunkKind.INITIAL_END);
            assertThat(sent.get(2).bytes().limit()).isZero();
            machine.ticker.pass(100);
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 16 << 20, replyTo));
            assertThat(kinds()).containsOnlyOnce(DeviceChunkKind.INITIAL_END);
            assertThat(((Device.Pending) ask(device, Device.SaveLivePending::new)).initialBytes())
                    .isZero();
            ask(device, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.CANCELLED, replyTo));
            sent.clear();
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 16 << 20, replyTo));
            assertThat(kinds()).as("not in pre-copy").isEmpty();
            ask(device, Device.SaveSetup::new);
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 16 << 20, replyTo));
            assertThat(kinds()).as("the next migration hears it too").containsOnlyOnce(DeviceChunkKind.INITIAL_END);
        }
    }

    @Test
    void aDeviceThatHasNoInitialDataSaysSoAtOnce() throws DeviceException {
        DeviceSpec spec = Machine.nic(4096);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 1 << 20, replyTo));
            ask(device, replyTo -> new Device.SaveLiveIterate(sink, 1 << 20, replyTo));
            assertThat(kinds()).containsExactly(DeviceChunkKind.INITIAL_END);
        }
    }

    @Test
    void theEndOfInitialDataIsTakenInOnceAndBeforeTheEndOfAll() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 0, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            Function<ActorRef<Device.Reply>, Device.Command> initialEnd =
                    replyTo -> new Device.LoadState(DeviceChunkKind.INITIAL_END, ByteBuffer.allocate(0), replyTo);
            ask(device, Device.LoadSetup::new);
            assertThat(ask(device, initialEnd)).isEqualTo(new Device.Loaded("gpu0", 0));
            assertThat(((Device.Failed) ask(device, initialEnd)).reason())
                    .isEqualTo("device gpu0: a second INITIAL_END");
            ask(device, Device.Cleanup::new);
            ask(device, Device.LoadSetup::new);
            ask(device, replyTo -> new Device.LoadState(DeviceChunkKind.END, ByteBuffer.allocate(0), replyTo));
            assertThat(((Device.Failed) ask(device, initialEnd)).reason())
                    .isEqualTo("device gpu0: INITIAL_END chunk after its END");
        }
    }

    @Test
    void aCancelledPreCopyLeavesTheDeviceRunning() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 1 << 20, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            assertThat(ask(device, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.CANCELLED, replyTo)))
                    .isEqualTo(done("gpu0", DeviceState.RUNNING));
        }
    }

    @Test
    void aRollBackAfterTheStopRunsTheDeviceAgainByWayOfItsPeerToPeerState() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 1 << 20, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            vm(device, RunState.FINISH_MIGRATE, false);
            assertThat(ask(device, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.FAILED, replyTo)))
                    .isEqualTo(done("gpu0", DeviceState.STOP_COPY));
            assertThat(vm(device, RunState.RUNNING, true)).isEqualTo(done("gpu0", DeviceState.RUNNING_P2P));
            assertThat(vm(device, RunState.RUNNING, false)).isEqualTo(done("gpu0", DeviceState.RUNNING));
            Device.Described described = (Device.Described) ask(device, Device.Describe::new);
            assertThat(described.history().getLast().states())
                    .containsExactly(DeviceState.RUNNING_P2P, DeviceState.RUNNING);
            assertThat(described.history().stream().map(DeviceHistory.Entry::states))
                    .contains(List.of(DeviceState.PRE_COPY, DeviceState.PRE_COPY_P2P, DeviceState.STOP_COPY));
        }
    }

    @Test
    void afterAFailedStepTheStateIsReadBackAndAResetLeavesError() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 0, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            machine.faults.on(DeviceState.STOP_COPY, DeviceFault.FAIL);
            Device.Failed halfway = (Device.Failed) vm(device, RunState.FINISH_MIGRATE, false);
            assertThat(halfway.state()).isEqualTo(DeviceState.PRE_COPY_P2P);
            assertThat(halfway.hook()).isEqualTo(DeviceHook.VM_STATE_CHANGED);
            machine.faults.on(DeviceState.STOP_COPY, DeviceFault.BREAK);
            assertThat(((Device.Failed) vm(device, RunState.FINISH_MIGRATE, false)).state())
                    .isEqualTo(DeviceState.ERROR);
            assertThat(vm(device, RunState.RUNNING, false))
                    .isEqualTo(new Device.Rejected("gpu0", DeviceHook.VM_STATE_CHANGED, DeviceState.ERROR));
            assertThat(ask(device, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.FAILED, replyTo)))
                    .as("its VM stands still, so it is not left running")
                    .isEqualTo(done("gpu0", DeviceState.STOP));
            machine.faults.clear();
            assertThat(vm(device, RunState.RUNNING, false)).isEqualTo(done("gpu0", DeviceState.RUNNING));
        }
    }

    @Test
    void aDeviceThatBreaksByItselfIsToldAtTheNextHookAndRunsAgainAfterItsReset() throws Exception {
        DeviceSpec spec = Machine.gpu(STATE, 0, 4096 * 1000);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.RUNNING, false);
            ask(device, Device.SaveSetup::new);
            machine.space.unmap(machine.space.mappings().getFirst().iova(), 64 * 4096);
            machine.ticker.pass(10);
            assertThat(ask(device, Device.SaveLivePending::new))
                    .isEqualTo(new Device.Failed(
                            "gpu0",
                            DeviceHook.SAVE_LIVE_PENDING,
                            "device gpu0 has broken: it stands in ERROR",
                            DeviceState.ERROR));
            assertThat(ask(device, Device.SaveLivePending::new))
                    .isEqualTo(new Device.Rejected("gpu0", DeviceHook.SAVE_LIVE_PENDING, DeviceState.ERROR));
            assertThat(ask(device, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.FAILED, replyTo)))
                    .isEqualTo(done("gpu0", DeviceState.RUNNING));
        }
    }

    @Test
    void failuresWhileReadingAndLoadingAreAnsweredWithHookAndReason() throws DeviceException {
        DeviceSpec spec = Machine.nic(4096);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            vm(device, RunState.FINISH_MIGRATE, false);
            machine.faults.on(DeviceOperation.READ, DeviceFault.FAIL);
            Device.Failed read =
                    (Device.Failed) ask(device, replyTo -> new Device.SaveLiveCompletePrecopy(sink, replyTo));
            assertThat(read.hook()).isEqualTo(DeviceHook.SAVE_LIVE_COMPLETE_PRECOPY);
            assertThat(read.reason()).contains("reading its state failed");
            ask(device, Device.Cleanup::new);
            ask(device, Device.LoadSetup::new);
            machine.faults.on(DeviceOperation.LOAD_CONFIG, DeviceFault.FAIL);
            Device.Failed load = (Device.Failed) ask(
                    device,
                    replyTo -> new Device.LoadState(DeviceChunkKind.CONFIG, ByteBuffer.wrap(new byte[256]), replyTo));
            assertThat(load.reason()).contains("restoring its config space failed");
            assertThat(ask(device, Device.LoadCleanup::new))
                    .isEqualTo(new Device.Failed(
                            "nic0",
                            DeviceHook.LOAD_CLEANUP,
                            "device nic0: its END has not come",
                            DeviceState.RESUMING));
            assertThat(ask(device, Device.Cleanup::new)).isEqualTo(done("nic0", DeviceState.STOP));
        }
    }

    @Test
    void hooksThatTheStateDoesNotAcceptAreAnswered() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 0, 0);
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = spawn(machine, spec);
            assertThat(ask(device, Device.LoadCleanup::new))
                    .isEqualTo(new Device.Rejected("gpu0", DeviceHook.LOAD_CLEANUP, DeviceState.STOP));
            assertThat(ask(device, replyTo -> new Device.SaveLiveCompletePrecopy(sink, replyTo)))
                    .isEqualTo(new Device.Rejected("gpu0", DeviceHook.SAVE_LIVE_COMPLETE_PRECOPY, DeviceState.STOP));
            ask(device, Device.LoadSetup::new);
            assertThat(ask(device, Device.SaveSetup::new))
                    .isEqualTo(new Device.Rejected("gpu0", DeviceHook.SAVE_SETUP, DeviceState.RESUMING));
        }
    }

    @Test
    void whatArrivesWhileAHookRunsWaitsUpToALimit() throws DeviceException {
        DeviceSpec spec = Machine.gpu(STATE, 0, 0);
        HeldExecutor held = new HeldExecutor();
        try (Machine machine = new Machine(spec)) {
            ActorRef<Device.Command> device = KIT.spawn(Device.create("gpu0", machine.device, held));
            int room = KIT.system().settings().config().getInt("godwit.device.stash-max");
            for (int i = 0; i < room; i++) {
                device.tell(new Device.SaveLivePending(probe.ref()));
            }
            assertThat(((Device.Described) ask(device, Device.Describe::new)).busy())
                    .isTrue();
            assertThat(ask(device, Device.SaveSetup::new))
                    .isEqualTo(new Device.Rejected("gpu0", DeviceHook.SAVE_SETUP, DeviceState.STOP));
            for (int answered = 0; answered < room + 1; answered++) {
                held.runNext();
            }
            assertThat(probe.receiveSeveralMessages(room, Duration.ofSeconds(20)))
                    .allMatch(Device.Pending.class::isInstance);
        }
    }
}
