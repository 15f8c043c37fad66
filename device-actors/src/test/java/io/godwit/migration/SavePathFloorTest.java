package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.SaveLimits;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** VMs whose pinned pages alone take too long: at 100 MiB/s, 8 MiB are 80 ms. */
class SavePathFloorTest {
    private static final long PAGES_OF_8_MIB = 2048;

    private static SaveLimits downtime(long limitMs, long ceilingMs) {
        return new SaveLimits(0, limitMs, ceilingMs, 0, 0, false);
    }

    private static void neverStood(SaveFixture save, SavePath.Event.Failed failed) {
        assertThat(failed.surrendered()).isFalse();
        assertThat(failed.states()).noneMatch(state -> state.vm().equals("FINISH_MIGRATE"));
        assertThat(save.guest.runs).isTrue();
    }

    @Test
    void isRefusedAfterTheFirstSyncWhereTheLinkIsKnownWithTheDowntimeItWouldNeed() {
        try (SaveFixture save = new SaveFixture(16)) {
            save.taught();
            save.pin(PAGES_OF_8_MIB);
            save.begin(downtime(50, 60));
            save.await(SavePath.Event.Started.class);
            save.await(SavePath.Event.Progressed.class);
            SavePath.Event.Failed failed = (SavePath.Event.Failed) save.next();
            assertThat(failed.reason())
                    .contains("cannot be shorter than 90 ms", "8.0 MiB pinned", "100.0 MiB/s", "raised to 60 ms");
            neverStood(save, failed);
        }
    }

    @Test
    void isRefusedWithinMomentsWhereTheLinkIsNot() {
        try (SaveFixture save = new SaveFixture(32)) {
            save.pin(PAGES_OF_8_MIB);
            save.begin(downtime(50, 50));
            save.await(SavePath.Event.Started.class);
            SavePath.Event.Failed failed = save.await(SavePath.Event.Failed.class);
            assertThat(failed.reason()).contains("cannot be shorter than 1", "8.0 MiB pinned", "the limit is 50 ms");
            neverStood(save, failed);
        }
    }

    @Test
    void goesWhenTheLimitMayBeRaisedThatFar() {
        try (SaveFixture save = new SaveFixture(16)) {
            save.taught();
            save.pin(PAGES_OF_8_MIB);
            var path = save.begin(downtime(50, 200));
            save.await(SavePath.Event.Started.class);
            assertThat(save.awaitProgress(p -> p.passes() > 0).floorDowntimeMicros())
                    .isEqualTo(90_000);
            path.tell(new SavePath.Adjust(new SaveLimits(1, 200, 200, 0, 0, false)));
            assertThat(save.await(SavePath.Event.Ready.class).stats().predictedDowntimeMicros())
                    .isEqualTo(90_000);
        }
    }

    @Test
    void aVmOfNothingButZeroAndPinnedPagesSendsSomeOfThemToMeasureTheLink() {
        try (SaveFixture save = new SaveFixture(32)) {
            save.pin(2 * PAGES_OF_8_MIB);
            save.guest.memory().segment().asSlice(0, 16 * SaveFixture.MIB).fill((byte) 0);
            // what is sent of zero pages takes its time, and tells nothing of the link
            save.link.latency(20_000_000);
            save.begin(downtime(1000, 1000));
            save.await(SavePath.Event.Started.class);
            SavePath.Event.Ready ready = save.await(SavePath.Event.Ready.class);
            assertThat(ready.stats().bandwidthBytesPerSecond() / (double) SaveFixture.RATE)
                    .as("1 MiB in 10 ms, and 20 ms for every write")
                    .isBetween(0.3, 0.36);
            assertThat(ready.stats().ramBytesSent()).isEqualTo(16 * SaveFixture.MIB);
            assertThat(ready.stats().predictedDowntimeMicros()).isBetween(500_000L, 600_000L);
        }
    }

    @Test
    void pinnedPagesThatAreZeroCostNothingAndNeedNoBandwidth() {
        try (SaveFixture save = new SaveFixture(16)) {
            save.pin(PAGES_OF_8_MIB);
            save.guest.memory().segment().fill((byte) 0);
            save.begin(downtime(100, 100));
            save.await(SavePath.Event.Started.class);
            assertThat(save.await(SavePath.Event.Ready.class).stats().predictedDowntimeMicros())
                    .isLessThan(100_000);
        }
    }

    @Test
    void theMigrationsOwnDeadlineEndsPreCopyWithTheNumbers() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.guest.dirtyPages.set(512);
            save.deadline(Duration.ofSeconds(3));
            save.begin(downtime(1, 1000));
            save.await(SavePath.Event.Started.class);
            SavePath.Event.Failed failed =
                    save.tellUntil(() -> save.pass(Duration.ofMillis(500)), SavePath.Event.Failed.class);
            assertThat(failed.reason())
                    .contains("did not converge within 3 s", "would be needed, the limit is 1 ms", "the guest dirties");
            neverStood(save, failed);
        }
    }
}
