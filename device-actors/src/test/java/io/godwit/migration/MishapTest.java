package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.SaveLimits;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.Test;

/** A mistake in the save path's own code: the VM is not left half-way. */
class MishapTest {
    private static final SaveLimits LIMITS = new SaveLimits(0, 1000, 1000, 0, 0, false);

    @Test
    void beforeTheStopTheVmGoesOnAndTheReasonIsTold() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.guest.dirtyPages.set(512);
            save.begin(new SaveLimits(0, 1, 1000, 0, 0, false));
            save.await(SavePath.Event.Started.class);
            save.awaitProgress(p -> p.passes() > 1);
            save.breakClock(1);
            SavePath.Event.Failed failed =
                    save.tellUntil(() -> save.pass(save.settings.tick()), SavePath.Event.Failed.class);
            assertThat(failed.reason()).contains("internal error", "the clock is broken");
            assertThat(failed.surrendered()).isFalse();
            assertThat(save.guest.runs).isTrue();
            assertThat(save.guest.logs).as("the dirty log is off again").isFalse();
        }
    }

    @Test
    void afterTheSurrenderItStandsStillUntilTheLedgerSaysForWhom() {
        try (SaveFixture save = new SaveFixture(2)) {
            ActorRef<SavePath.Command> path = save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            save.await(SavePath.Event.Ready.class);
            save.breakClock(1);
            path.tell(new SavePath.SwitchOver());
            SavePath.Event.Failed failed = save.await(SavePath.Event.Failed.class);
            assertThat(failed.surrendered()).isTrue();
            assertThat(failed.reason()).contains("the clock is broken");
            SavePath.Event.RolledBack back =
                    save.tellUntil(() -> path.tell(new SavePath.RollBack(2, false)), SavePath.Event.RolledBack.class);
            assertThat(back.epoch()).isEqualTo(2);
            assertThat(save.guest.runs).isTrue();
        }
    }
}
