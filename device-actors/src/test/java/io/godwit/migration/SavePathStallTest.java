package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A link that takes nothing more, and a device that gives nothing; time is the test's. */
class SavePathStallTest {
    private static final SaveLimits LIMITS = new SaveLimits(0, 1000, 1000, 0, 0, false);

    @Test
    void aLinkThatTakesNothingAnyMoreEndsTheMigrationAndTheVmNeverStood() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.guest.dirtyPages.set(512);
            save.begin(new SaveLimits(0, 1, 1000, 0, 0, false));
            save.await(SavePath.Event.Started.class);
            save.awaitProgress(p -> p.passes() > 1);
            save.link.stall(true);
            Progress last = save.awaitProgress(p -> p.remainingBytes() > 0);
            SavePath.Event.Failed failed =
                    save.tellUntil(() -> save.pass(Duration.ofSeconds(3)), SavePath.Event.Failed.class);
            assertThat(failed.reason())
                    .contains("stalled: no byte has left for 1", " s, ", " left, to host-b")
                    .contains(Figures.bytes(last.remainingBytes()));
            assertThat(failed.surrendered()).isFalse();
            assertThat(failed.states()).noneMatch(state -> state.vm().equals("FINISH_MIGRATE"));
            assertThat(save.guest.runs).isTrue();
        }
    }

    @Test
    void aStreamHeldBackByItsBandwidthLimitIsNoStall() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.taught();
            save.begin(new SaveLimits(0, 1000, 1000, 1000, 0, false));
            save.await(SavePath.Event.Started.class);
            for (int seconds = 0; seconds < 60; seconds += 6) {
                save.pass(Duration.ofSeconds(6));
            }
            assertThat(save.awaitProgress(p -> p.stats().precopyMillis() > 40_000)
                            .passes())
                    .as("a batch takes 1,000 s")
                    .isZero();
        }
    }

    @Test
    void aDeviceThatGivesNothingThoughItHasInitialDataEndsTheMigrationByName() {
        try (SaveFixture save = new SaveFixture(2)) {
            ScriptedDevice gpu = save.device("gpu0");
            gpu.initialBytes.set(5000);
            gpu.gives = false;
            save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            assertThat(save.tellUntil(() -> save.pass(Duration.ofSeconds(3)), SavePath.Event.Failed.class)
                            .reason())
                    .contains("no initial data has come from gpu0 for 1", "5000 bytes pending");
        }
    }

    @Test
    void aMigrationWithNothingToSendIsNoStallHoweverLongItWaits() {
        try (SaveFixture save = new SaveFixture(2)) {
            // never acknowledged: it waits for the destination
            save.device("gpu0");
            save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            for (int seconds = 0; seconds < 60; seconds += 6) {
                save.pass(Duration.ofSeconds(6));
            }
            assertThat(save.awaitProgress(p -> p.stats().precopyMillis() > 40_000)
                            .acknowledged())
                    .isFalse();
        }
    }
}
