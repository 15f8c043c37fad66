package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.AdjustSave;
import io.godwit.proto.host.HostCommand.BeginSave;
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationReply.MigrationHistoryShown;
import io.godwit.proto.migration.MigrationReply.MigrationRefused;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.IncomingFailed;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.MigrationRequest.AdjustMigration;
import io.godwit.proto.migration.MigrationRequest.ShowMigrationHistory;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.HookSeen;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What the entity does with its ladder: {@code ClimbingTest} tells when a step is due. The VM's budget is 1000 ms. */
class ConvergenceSagaTest {
    private static final SaveLimits FIRST = new SaveLimits(0, 300, 1000, 10 << 20, 0, false);
    private static final SaveLimits UNLIMITED = new SaveLimits(1, 300, 1000, 0, 0, false);
    private static final SaveLimits THROTTLED = new SaveLimits(2, 300, 1000, 0, 30, false);

    private final SagaFixture saga = new SagaFixture("");

    @AfterEach
    void close() {
        saga.close();
    }

    private void toThrottled() {
        saga.by("bandwidth:unlimited:1s, throttle:30%:1s, downtime:budget:1s, give-up");
        saga.toSaving();
        saga.progress(1000, 5000, FIRST);
        told(UNLIMITED);
        saga.progress(1200, 5000, UNLIMITED);
        saga.progress(2200, 5000, UNLIMITED);
    }

    /** Waits until the source is told of {@code limits}; older ones may be repeated before. */
    private void told(SaveLimits limits) {
        saga.source.fishForMessage(
                Duration.ofSeconds(5),
                command -> command.equals(new AdjustSave("m-1", "vm-1", 1, limits))
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore());
    }

    /** Passes when no AdjustSave is left among what is repeated. */
    private void adjustsNoMore() {
        AtomicInteger inARow = new AtomicInteger();
        saga.source.fishForMessage(Duration.ofSeconds(5), command -> {
            int row = command instanceof BeginSave ? inARow.incrementAndGet() : inARow.updateAndGet(_ -> 0);
            return row == 3 ? FishingOutcomes.complete() : FishingOutcomes.continueAndIgnore();
        });
    }

    @Test
    void beginsWithTheLimitsThatItsLadderStartsFrom() {
        saga.by("wait:1s, downtime:budget:1s");
        saga.toSaving();
        assertThat(saga.expect(saga.source, BeginSave.class).limits()).isEqualTo(FIRST);
        assertThat(saga.show().limits()).isEqualTo(FIRST);
        assertThat(saga.show().steps()).isEmpty();
    }

    @Test
    void takesEachStepAsAnEventAndShowsItWithItsReason() {
        toThrottled();
        told(THROTTLED);
        MigrationView view = saga.show();
        assertThat(view.phase()).isEqualTo(MigrationPhase.PRE_COPY);
        assertThat(view.limits()).isEqualTo(THROTTLED);
        assertThat(view.steps())
                .extracting(ConvergenceStep::step)
                .containsExactly("bandwidth:unlimited", "throttle:30%");
        assertThat(view.steps()).extracting(ConvergenceStep::precopyMillis).containsExactly(1000L, 2200L);
        assertThat(view.steps().getLast().reason())
                .contains("a standstill of 5000 ms is predicted, the limit is 300 ms");
        assertThat(view.progress().orElseThrow().limits()).isEqualTo(UNLIMITED);
    }

    @Test
    void repeatsTheLimitsUntilTheSourceShowsThem() {
        toThrottled();
        for (int i = 0; i < 3; i++) {
            told(THROTTLED);
        }
        saga.progress(2400, 5000, THROTTLED);
        adjustsNoMore();
    }

    @Test
    void recoversItsPlaceOnTheLadderAndTellsTheSourceAgain() {
        toThrottled();
        MigrationView before = saga.show();
        saga.restart();
        saga.source.fishForMessage(
                Duration.ofSeconds(5),
                command -> command instanceof BeginSave begin && begin.limits().equals(THROTTLED)
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore());
        told(THROTTLED);
        assertThat(saga.show().steps()).isEqualTo(before.steps());
        saga.progress(90_000, 5000, THROTTLED); // the hold starts anew
        assertThat(saga.show().steps()).isEqualTo(before.steps());
        saga.progress(91_000, 5000, THROTTLED);
        assertThat(saga.show().limits()).isEqualTo(new SaveLimits(3, 1000, 1000, 0, 30, false));
        assertThat(saga.show().steps()).hasSize(3);
    }

    @Test
    void givesUpAtTheEndOfTheLadderWithTheNumbersAndTheVmGoesOn() {
        saga.by("wait:1s, give-up");
        saga.toSaving();
        saga.progress(1000, 812, FIRST);
        saga.progress(1200, 812, FIRST);
        saga.progress(2200, 812, FIRST);
        HostCommand.CancelSave cancel = saga.expect(saga.source, HostCommand.CancelSave.class);
        assertThat(cancel.reason()).contains("a downtime of 812 ms would be needed, its blackout budget is 1000 ms");
        saga.tell(new SaveFailed("m-1", "host-1", cancel.reason(), true, false, List.of()));
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason()).contains(cancel.reason());
        assertThat(view.steps()).extracting(ConvergenceStep::step).containsExactly("wait", "give-up");
        assertThat(view.stats().precopyMillis()).isEqualTo(2200);
        assertThat(saga.ownership().epoch()).isEqualTo(1);
    }

    @Test
    void climbsNoMoreOnceItHasAskedForTheSwitchover() {
        toThrottled();
        saga.tell(new ReadyToSwitchOver("m-1", "host-1", SagaFixture.STATS));
        saga.progress(99_000, 5000, THROTTLED);
        saga.progress(199_000, 5000, THROTTLED);
        saga.expect(saga.source, HostCommand.SwitchOver.class);
        MigrationView view = saga.show();
        assertThat(view.phase()).isEqualTo(MigrationPhase.SWITCHOVER);
        assertThat(view.steps()).hasSize(2);
        assertThat(view.progress()).isEmpty();
    }

    private MigrationView set(long downtimeLimitMs, long bandwidth) {
        saga.tell(new AdjustMigration("m-1", downtimeLimitMs, bandwidth, saga.client.getRef()));
        return saga.client.expectMessageClass(MigrationShown.class).view();
    }

    private String refusedToSet(long downtimeLimitMs, long bandwidth) {
        saga.tell(new AdjustMigration("m-1", downtimeLimitMs, bandwidth, saga.client.getRef()));
        return saga.client.expectMessageClass(MigrationRefused.class).reason();
    }

    @Test
    void takesAnOperatorsLimitsAsAStepAndGoesOnFromItsPlaceOnTheLadder() {
        toThrottled();
        MigrationView view = set(150, 32 << 20);
        SaveLimits byHand = new SaveLimits(3, 150, 1000, 32 << 20, 30, false);
        assertThat(view.limits()).isEqualTo(byHand);
        assertThat(view.steps().getLast())
                .isEqualTo(
                        new ConvergenceStep(2200, "downtime:150ms, bandwidth:32MiB/s", "set by an operator", byHand));
        told(byHand);
        assertThat(set(150, 32 << 20)).isEqualTo(view); // nothing to change
        saga.restart();
        told(byHand);
        saga.progress(3000, 5000, byHand);
        saga.progress(4000, 5000, byHand);
        assertThat(saga.show().limits()).isEqualTo(new SaveLimits(4, 1000, 1000, 32 << 20, 30, false));
        assertThat(set(-1, 0).limits()).isEqualTo(new SaveLimits(5, 1000, 1000, 0, 30, false));
    }

    @Test
    void anOperatorsLimitIsTheCeilingWhenNoStepAheadRaisesIt() {
        saga.by("none");
        saga.toSaving();
        assertThat(set(900, -1).limits()).isEqualTo(new SaveLimits(1, 900, 900, 10 << 20, 0, false));
        assertThat(set(200, -1).limits()).isEqualTo(new SaveLimits(2, 200, 200, 10 << 20, 0, false));
    }

    @Test
    void anOperatorsLimitsSetBeforePreCopyAreThoseItBeginsWith() {
        saga.by("none");
        saga.start();
        SaveLimits byHand = set(500, 0).limits();
        saga.toSaving();
        saga.source.fishForMessage(
                Duration.ofSeconds(5),
                command -> command instanceof BeginSave begin && begin.limits().equals(byHand)
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore());
    }

    @Test
    void refusesLimitsOutOfRangeNamingWhatIsExpected() {
        saga.toSaving();
        assertThat(refusedToSet(1001, -1))
                .isEqualTo("a downtime limit of 1001 ms is over the blackout budget of vm 'vm-1'; expected at most its"
                        + " 1000 ms");
        assertThat(refusedToSet(0, -1)).isEqualTo("a downtime limit of 0 ms; expected 1 ms or more");
        assertThat(refusedToSet(-1, 4096))
                .isEqualTo("a bandwidth of 4096 bytes/s; expected 0 for no limit, or 1 MiB/s or more");
        assertThat(refusedToSet(-1, -1)).startsWith("nothing to change; expected");
        assertThat(saga.show().steps()).isEmpty();
    }

    @Test
    void refusesLimitsOnceTheHandoffHasBegunOrItIsGoingBackOrHasEnded() {
        saga.toSwitching();
        assertThat(refusedToSet(100, -1))
                .isEqualTo("its handoff has begun (SWITCHOVER): limits change only while it pre-copies");
        saga.tell(new IncomingFailed("m-1", "host-2", "digest mismatch"));
        saga.expect(saga.source, HostCommand.RunVm.class);
        assertThat(refusedToSet(100, -1)).isEqualTo("it is being rolled back: limits change only while it pre-copies");
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        saga.ended();
        assertThat(refusedToSet(100, -1)).isEqualTo("it has ended as FAILED");
    }

    @Test
    void keepsWhatTheDevicesAtItsSourceHadSeen() {
        List<DeviceLog> devices = List.of(new DeviceLog(
                "gpu0",
                "gpu/1",
                "STOP",
                List.of(new HookSeen("SAVE_SETUP", List.of("RUNNING", "PRE_COPY"), 1, Optional.empty()))));
        saga.toReleasing();
        assertThat(history().source()).isEmpty();
        saga.tell(new SourceReleased("m-1", "host-1", SagaFixture.STATS, SagaFixture.DOWNTIME, List.of(), devices));
        MigrationView ended = saga.ended();
        assertThat(history()).isEqualTo(new MigrationHistoryShown(ended, devices));
        saga.restart();
        assertThat(history()).isEqualTo(new MigrationHistoryShown(ended, devices));
    }

    private MigrationHistoryShown history() {
        saga.tell(new ShowMigrationHistory("m-1", saga.client.getRef()));
        return saga.client.expectMessageClass(MigrationHistoryShown.class);
    }

    @Test
    void refusesPostcopyBeforeAnythingHasStarted() {
        saga.by("postcopy");
        saga.tell(saga.request());
        assertThat(saga.client.expectMessageClass(MigrationRefused.class).reason())
                .isEqualTo("postcopy is not offered for native guests (driver soft)");
        saga.destination.expectNoMessage();
        saga.source.expectNoMessage();
    }

    @Test
    void refusesAPolicyThatItDoesNotKnow() {
        saga.by("harsh");
        saga.tell(saga.request());
        assertThat(saga.client.expectMessageClass(MigrationRefused.class).reason())
                .startsWith("vm 'vm-1': no convergence policy 'harsh'; expected one of ");
    }
}
