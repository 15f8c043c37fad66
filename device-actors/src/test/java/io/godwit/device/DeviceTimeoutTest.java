package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.HookSeen;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Hooks that do not come back in time. The test does the device's work, and owns time. */
class DeviceTimeoutTest {
    private static final String LIMIT = "has not come back within 15000 ms";
    private static final DeviceSpec SPEC = Machine.gpu(1 << 20, 0, 0);

    private final ActorTestKit kit = ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));
    private final ManualTime time = ManualTime.get(kit.system());
    private final TestProbe<Device.Reply> probe = kit.createTestProbe();
    private final TestProbe<Device.Reply> looks = kit.createTestProbe();
    private final HeldExecutor work = new HeldExecutor();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private ActorRef<Device.Command> running(Machine machine) throws DeviceException {
        machine.run();
        ActorRef<Device.Command> device = kit.spawn(Device.create("gpu0", machine.device, work));
        assertThat(described(device).busy()).isTrue();
        work.runNext();
        assertThat(described(device).busy()).isFalse();
        return device;
    }

    /** Behind all that this thread has told the actor; work that it has done too, if the actor was seen busy with it. */
    private Device.Described described(ActorRef<Device.Command> device) {
        device.tell(new Device.Describe(looks.ref()));
        return (Device.Described) looks.receiveMessage(Duration.ofSeconds(20));
    }

    private Device.Reply done(
            ActorRef<Device.Command> device, Function<ActorRef<Device.Reply>, Device.Command> command) {
        device.tell(command.apply(probe.ref()));
        work.runNext();
        return probe.receiveMessage(Duration.ofSeconds(20));
    }

    /** Asks, and lets the limit pass before the device has done anything. */
    private Device.Reply late(
            ActorRef<Device.Command> device, Function<ActorRef<Device.Reply>, Device.Command> command) {
        device.tell(command.apply(probe.ref()));
        assertThat(described(device).busy()).isTrue();
        time.timePasses(Duration.ofMillis(14_990));
        probe.expectNoMessage(Duration.ZERO);
        time.timePasses(Duration.ofMillis(20));
        return probe.receiveMessage(Duration.ofSeconds(20));
    }

    private static Function<ActorRef<Device.Reply>, Device.Command> vm(RunState to, boolean prepare) {
        return replyTo -> new Device.VmStateChanged(to, prepare, replyTo);
    }

    @Test
    void aHookThatIsLateIsAnsweredAndWhatWaitsOrComesMeanwhileIsTooAtOnce() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            TestProbe<Device.Reply> waiting = kit.createTestProbe();
            device.tell(new Device.SaveSetup(probe.ref()));
            device.tell(new Device.SaveLivePending(waiting.ref()));
            assertThat(described(device).busy()).isTrue();
            time.timePasses(Duration.ofSeconds(15));
            assertThat(probe.receiveMessage())
                    .isEqualTo(new Device.Failed("gpu0", DeviceHook.SAVE_SETUP, LIMIT, DeviceState.RUNNING));
            String busy = "still busy in SAVE_SETUP, which " + LIMIT;
            assertThat(waiting.receiveMessage())
                    .isEqualTo(new Device.Failed("gpu0", DeviceHook.SAVE_LIVE_PENDING, busy, DeviceState.RUNNING));
            device.tell(new Device.Cleanup(probe.ref()));
            assertThat(probe.receiveMessage())
                    .isEqualTo(new Device.Failed("gpu0", DeviceHook.CLEANUP, busy, DeviceState.RUNNING));
            assertThat(described(device).busy()).isTrue();
            work.runNext();
            assertThat(described(device).log().hooks())
                    .containsExactly(
                            new HookSeen("SAVE_SETUP", List.of("RUNNING"), 1, Optional.of(LIMIT)),
                            new HookSeen("SAVE_LIVE_PENDING", List.of("RUNNING"), 1, Optional.of(busy)),
                            new HookSeen("CLEANUP", List.of("RUNNING"), 1, Optional.of(busy)),
                            new HookSeen(
                                    "SAVE_SETUP", List.of("RUNNING", "PRE_COPY"), 1, Optional.of("came back late")));
            assertThat(described(device).state()).isEqualTo(DeviceState.PRE_COPY);
        }
    }

    @Test
    void aLateStepIntoStopCopyIsSeenAndTheNextHookWalksFromThere() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            assertThat(((Device.Failed) late(device, vm(RunState.FINISH_MIGRATE, false))).state())
                    .isEqualTo(DeviceState.RUNNING);
            work.runNext();
            assertThat(described(device).state()).isEqualTo(DeviceState.STOP_COPY);
            assertThat(done(device, vm(RunState.RUNNING, false)))
                    .isEqualTo(new Device.Done("gpu0", DeviceState.RUNNING));
            assertThat(described(device).history().getLast().states())
                    .containsExactly(
                            DeviceState.STOP_COPY, DeviceState.STOP, DeviceState.RUNNING_P2P, DeviceState.RUNNING);
        }
    }

    @Test
    void aLateFailureIsRecordedWithItsReasonAndItsState() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            machine.faults.on(DeviceState.STOP_COPY, DeviceFault.FAIL);
            late(device, vm(RunState.FINISH_MIGRATE, false));
            work.runNext();
            DeviceHistory.Entry last = described(device).history().getLast();
            assertThat(last.states()).endsWith(DeviceState.STOP);
            assertThat(last.failure().orElseThrow())
                    .startsWith("came back late: device gpu0")
                    .contains("failed");
        }
    }

    @Test
    void anEndOfTheMigrationThatWasMissedIsMadeUpForOnceTheDeviceIsBack() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            done(device, Device.SaveSetup::new);
            late(device, Device.SaveLivePending::new);
            device.tell(new Device.MigrationStatusChanged(MigrationStatus.FAILED, probe.ref()));
            assertThat(probe.receiveMessage()).isInstanceOf(Device.Failed.class);
            work.runNext();
            assertThat(described(device).busy()).isTrue();
            work.runNext();
            Device.Described described = described(device);
            assertThat(described.state()).as("not left in pre-copy").isEqualTo(DeviceState.RUNNING);
            HookSeen last = described.log().hooks().getLast();
            assertThat(last)
                    .isEqualTo(new HookSeen(
                            "MIGRATION_STATUS_CHANGED(FAILED)", List.of("PRE_COPY", "RUNNING"), 1, Optional.empty()));
        }
    }

    @Test
    void theTimeThatTheStreamTakesDoesNotCount() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            done(device, Device.SaveSetup::new);
            DeviceSink slow = (_, _, data) -> {
                data.position(data.limit());
                assertThat(described(device).busy()).isTrue();
                time.timePasses(Duration.ofSeconds(60));
            };
            Device.Reply reply = done(device, replyTo -> new Device.SaveLiveIterate(slow, 4 << 20, replyTo));
            assertThat(((Device.Iterated) reply).bytes()).isGreaterThan(1 << 20);
            assertThat(described(device).history())
                    .allMatch(entry -> entry.failure().isEmpty());
        }
    }

    @Test
    void theLimitHoldsAgainOnceTheStreamHasTakenAChunk() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            done(device, Device.SaveSetup::new);
            AtomicInteger taken = new AtomicInteger();
            DeviceSink lastOne = (_, _, data) -> {
                data.position(data.limit());
                assertThat(described(device).busy()).isTrue();
                if (taken.getAndIncrement() == 0) {
                    time.timePasses(Duration.ofSeconds(60));
                    machine.faults.on(DeviceOperation.READ, DeviceFault.STALL);
                }
            };
            device.tell(new Device.SaveLiveIterate(lastOne, 4 << 20, probe.ref()));
            CompletableFuture<Void> hook = CompletableFuture.runAsync(work::runNext);
            while (machine.faults.stalled() == 0) {
                Thread.onSpinWait();
            }
            // the hook came out of the sink before it stalled: the actor has heard of both by now
            assertThat(described(device).busy()).isTrue();
            probe.expectNoMessage(Duration.ZERO);
            time.timePasses(Duration.ofSeconds(16));
            assertThat(probe.receiveMessage(Duration.ofSeconds(20)))
                    .isEqualTo(new Device.Failed("gpu0", DeviceHook.SAVE_LIVE_ITERATE, LIMIT, DeviceState.PRE_COPY));
            machine.faults.clear();
            hook.join();
            assertThat(described(device).history().getLast().failure()).contains("came back late");
        }
    }

    @Test
    void aChunkThatIsLateFailsTheLoadAndTheCopyMayBeReset() throws DeviceException {
        try (Machine machine = new Machine(SPEC)) {
            ActorRef<Device.Command> device = running(machine);
            done(device, vm(RunState.PAUSED, false));
            done(device, Device.LoadSetup::new);
            assertThat(late(
                            device,
                            replyTo ->
                                    new Device.LoadState(DeviceChunkKind.PRECOPY, ByteBuffer.allocate(100), replyTo)))
                    .isEqualTo(new Device.Failed("gpu0", DeviceHook.LOAD_STATE, LIMIT, DeviceState.RESUMING));
            work.runNext();
            assertThat(described(device).busy()).isFalse();
            assertThat(done(device, Device.Cleanup::new)).isEqualTo(new Device.Done("gpu0", DeviceState.STOP));
        }
    }

    @Test
    void aLimitThatIsNotBelowTheStepsIsRefused() {
        assertThatThrownBy(() -> DeviceSettings.from(ConfigFactory.parseString("godwit.device.hook-timeout = 20 s")
                        .withFallback(Machine.CONFIG)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("godwit.device.hook-timeout of 20000 ms; expected less than"
                        + " godwit.migration.step-timeout, 20000 ms");
    }
}
