package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Limits that change while a VM leaves. The guest dirties all it has at every sync: it does not converge by itself. */
class SavePathLimitsTest {
    private static SaveLimits limits(
            long revision, long downtimeMs, long bandwidth, int throttle, boolean stopAndCopy) {
        return new SaveLimits(revision, downtimeMs, 1000, bandwidth, throttle, stopAndCopy);
    }

    @Test
    void aHigherDowntimeLimitEndsPreCopyAndAnOlderOneChangesNothing() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.guest.dirtyPages.set(512);
            var path = save.begin(limits(4, 1, 0, 0, false));
            save.await(SavePath.Event.Started.class);
            Progress stuck = save.awaitProgress(p -> p.passes() > 1 && p.predictedDowntimeMicros() < 1_000_000);
            assertThat(stuck.predictedDowntimeMicros()).isGreaterThan(1000);
            path.tell(new SavePath.Adjust(limits(3, 900, 0, 0, false)));
            assertThat(save.awaitProgress(p -> p.passes() > stuck.passes() + 2).limits())
                    .as("older than what is in force")
                    .isEqualTo(limits(4, 1, 0, 0, false));
            path.tell(new SavePath.Adjust(limits(5, 900, 0, 0, false)));
            assertThat(save.awaitProgress(p -> p.limits().revision() != 4).limits())
                    .isEqualTo(limits(5, 900, 0, 0, false));
            save.await(SavePath.Event.Ready.class);
        }
    }

    @Test
    void aThrottleHoldsTheGuestBackUntilTheMigrationEnds() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.guest.dirtyPages.set(512);
            var path = save.begin(limits(0, 1, 0, 20, false));
            save.await(SavePath.Event.Started.class);
            assertThat(save.guest.throttlePercent).isEqualTo(20);
            path.tell(new SavePath.Adjust(limits(1, 1, 0, 70, false)));
            save.awaitProgress(p -> p.limits().revision() == 1);
            assertThat(save.guest.throttlePercent).isEqualTo(70);
            path.tell(new SavePath.Cancel("the operator asked for it"));
            assertThat(save.await(SavePath.Event.Failed.class).cancelled()).isTrue();
            assertThat(save.guest.throttlePercent).isZero();
            assertThat(save.guest.runs).isTrue();
        }
    }

    @Test
    void aVmThatRollsBackIsNotHeldBackAnyMore() {
        try (SaveFixture save = new SaveFixture(2)) {
            var path = save.begin(limits(0, 1000, 0, 50, false));
            save.await(SavePath.Event.Started.class);
            save.await(SavePath.Event.Ready.class);
            path.tell(new SavePath.SwitchOver());
            Awaitility.await().atMost(SaveFixture.PATIENCE).until(() -> !save.guest.runs);
            assertThat(save.guest.throttlePercent).isEqualTo(50);
            // its Vm says so until it has taken effect
            save.tellUntil(() -> path.tell(new SavePath.RollBack(2, false)), SavePath.Event.RolledBack.class);
            assertThat(save.guest.runs).isTrue();
            assertThat(save.guest.throttlePercent).isZero();
        }
    }

    @Test
    void stopAndCopyAsksForTheSwitchoverWhateverIsPredicted() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.guest.dirtyPages.set(512);
            var path = save.begin(limits(0, 1, 0, 0, false));
            save.await(SavePath.Event.Started.class);
            save.awaitProgress(p -> p.passes() > 1);
            path.tell(new SavePath.Adjust(limits(1, 1, 0, 0, true)));
            assertThat(save.await(SavePath.Event.Ready.class).stats().predictedDowntimeMicros())
                    .isGreaterThan(1000);
        }
    }

    @Test
    void aBandwidthLimitHoldsTheStreamBackAndALiftedOneLetsItGo() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.taught();
            var path = save.begin(limits(0, 1000, 1000, 0, false));
            save.await(SavePath.Event.Started.class);
            save.pass(Duration.ofSeconds(1));
            Progress slow = save.awaitProgress(p -> p.stats().iterations() > 1);
            assertThat(slow.passes()).as("2 MiB at 1,000 bytes/s").isZero();
            assertThat(slow.stats().bandwidthBytesPerSecond())
                    .as("the link is not the limit")
                    .isEqualTo(SaveFixture.RATE);
            path.tell(new SavePath.Adjust(limits(1, 1000, 0, 0, false)));
            save.await(SavePath.Event.Ready.class);
        }
    }

    @Test
    void theLinkToAnUnknownHostIsMeasuredOnceWithoutTheLimit() {
        try (SaveFixture save = new SaveFixture(4)) {
            save.guest.dirtyPages.set(1024);
            save.begin(limits(0, 1, 1000, 0, false));
            save.await(SavePath.Event.Started.class);
            Progress measured = save.awaitProgress(p -> p.passes() > 0);
            assertThat(measured.stats().bandwidthBytesPerSecond() / (double) SaveFixture.RATE)
                    .isBetween(0.9, 1.1);
            save.pass(Duration.ofSeconds(30));
            Progress later = save.awaitProgress(p -> p.stats().precopyMillis() > 30_000);
            assertThat(later.passes()).as("from then on the limit holds").isLessThan(measured.passes() + 3);
        }
    }
}
