package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.migration.SaveLimits;
import io.godwit.stream.Answer;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** The source does not ask for the switchover before the destination has the devices' initial data. */
class SwitchoverAckTest {
    private static final SaveLimits LIMITS = new SaveLimits(0, 1000, 1000, 0, 0, false);

    @Test
    void asksOnlyOnceTheDestinationHasTheInitialDataHoweverLittleItIs() throws IOException {
        try (SaveFixture save = new SaveFixture(2)) {
            save.device("gpu0").initialBytes.set(100);
            var path = save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            assertThat(save.awaitProgress(p -> p.stats().iterations() > 4 && p.predictedDowntimeMicros() < 1_000_000)
                            .acknowledged())
                    .isFalse();
            path.tell(new SavePath.Adjust(new SaveLimits(1, 1000, 1000, 0, 0, true)));
            assertThat(save.awaitProgress(
                                    p -> p.limits().stopAndCopy() && p.stats().iterations() > 8)
                            .acknowledged())
                    .as("not even for stop-and-copy")
                    .isFalse();
            assertThat(save.deviceChunks).containsSubsequence("gpu0 PRECOPY 100", "gpu0 INITIAL_END 0");
            save.peer.answer(new Answer.SwitchoverReady());
            save.awaitProgress(p -> p.acknowledged());
            save.await(SavePath.Event.Ready.class);
            path.tell(new SavePath.SwitchOver());
            save.peer.answer(new Answer.Loaded(false, 0));
            save.peer.answer(new Answer.Running(10));
            assertThat(save.tellUntil(() -> path.tell(new SavePath.Release()), SavePath.Event.Released.class)
                            .downtime()
                            .totalMicros())
                    .as("the two later answers are not taken for the acknowledgement")
                    .isPositive();
        }
    }

    /** A fast destination runs, and the source's word to let go is there, before the source has heard of its own last byte. */
    @Test
    void aWordToLetGoThatComesBeforeTheEndOfTheLastCopyIsKept() throws IOException {
        try (SaveFixture save = new SaveFixture(2)) {
            var path = save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            save.await(SavePath.Event.Ready.class);
            path.tell(new SavePath.SwitchOver());
            path.tell(new SavePath.Release());
            save.peer.answer(new Answer.Loaded(false, 0));
            save.peer.answer(new Answer.Running(10));
            assertThat(save.await(SavePath.Event.Released.class).downtime().totalMicros())
                    .isPositive();
        }
    }

    @Test
    void aVmWithoutPreCopyDevicesIsAcknowledgedFromTheStart() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            assertThat(save.awaitProgress(_ -> true).acknowledged()).isTrue();
            save.await(SavePath.Event.Ready.class);
        }
    }

    @Test
    void aWordToSwitchOverThatComesTooEarlyStopsNothing() {
        try (SaveFixture save = new SaveFixture(2)) {
            save.device("gpu0");
            var path = save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            path.tell(new SavePath.SwitchOver());
            SavePath.Event.Failed failed = save.await(SavePath.Event.Failed.class);
            assertThat(failed.reason()).contains("initial data");
            assertThat(failed.surrendered()).isFalse();
            assertThat(failed.states()).noneMatch(state -> state.vm().equals("FINISH_MIGRATE"));
            assertThat(save.guest.runs).isTrue();
        }
    }

    @Test
    void aRefusalWhilePreCopyingIsHeardWithItsReason() throws IOException {
        try (SaveFixture save = new SaveFixture(2)) {
            save.device("gpu0");
            save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            save.peer.answer(new Answer.Refused("device gpu0 refused its PRECOPY chunk"));
            assertThat(save.await(SavePath.Event.Failed.class).reason())
                    .contains("the destination refused", "gpu0 refused its PRECOPY chunk");
        }
    }

    @Test
    void anAnswerOutOfTurnEndsTheMigration() throws IOException {
        try (SaveFixture save = new SaveFixture(2)) {
            save.device("gpu0");
            save.begin(LIMITS);
            save.await(SavePath.Event.Started.class);
            save.peer.answer(new Answer.Loaded(false, 0));
            assertThat(save.await(SavePath.Event.Failed.class).reason()).contains("out of turn");
        }
    }
}
