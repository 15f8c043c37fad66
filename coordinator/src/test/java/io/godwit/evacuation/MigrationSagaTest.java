package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationReply.MigrationRefused;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.IncomingFailed;
import io.godwit.proto.migration.MigrationReport.IncomingLoaded;
import io.godwit.proto.migration.MigrationReport.IncomingReady;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.SaveStarted;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.MigrationRequest.CancelMigration;
import io.godwit.proto.migration.MigrationRequest.ShowMigration;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.FishingOutcomes;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.cluster.sharding.typed.javadsl.ClusterSharding;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class MigrationSagaTest {
    private SagaFixture saga = new SagaFixture("");

    @AfterEach
    void close() {
        saga.close();
    }

    private void with(String overrides) {
        saga.close();
        saga = new SagaFixture(overrides);
    }

    @Test
    void movesAVmAndCommitsBeforeTheDestinationRuns() {
        assertThat(saga.start().phase()).isEqualTo(MigrationPhase.PREPARING);
        assertThat(saga.toResuming().epoch()).isEqualTo(2);
        assertThat(saga.ownership().host()).contains("host-2");
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of(SagaFixture.DESTINATION_TRIPLE)));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        saga.tell(new SourceReleased(
                "m-1",
                "host-1",
                SagaFixture.STATS,
                SagaFixture.DOWNTIME,
                List.of(SagaFixture.SOURCE_TRIPLE),
                List.of()));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.COMPLETED);
        assertThat(view.reason()).isEmpty();
        assertThat(view.verified()).isTrue();
        assertThat(view.epoch()).isEqualTo(2);
        assertThat(view.downtime()).isEqualTo(SagaFixture.DOWNTIME);
        assertThat(view.stats()).isEqualTo(SagaFixture.STATS);
        assertThat(view.states()).containsExactly(SagaFixture.SOURCE_TRIPLE, SagaFixture.DESTINATION_TRIPLE);
        assertThat(saga.show()).isEqualTo(view);
    }

    @Test
    void aSourceThatHasBegunIsNotToldToBeginAgainAtOnce() {
        with("godwit.migration.resend-interval = 1 h");
        saga.toSaving();
        // its answer comes when what the source has said is durable, and whatever follows from that has been told
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.PRE_COPY);
        saga.source.expectNoMessage(Duration.ZERO);
    }

    @Test
    void showsTheSourcesProgressWhileItCopies() {
        saga.toSaving();
        var triple = new StateTriple("RUNNING", "ACTIVE", "_RUNNING|_SAVING");
        var stats = new SaveStats(64, 10, 10, 0, 5, 1, 100, 1000, 0);
        saga.tell(new SaveProgress(
                "m-1",
                "host-1",
                new Progress(triple, stats, 42, 1, 1, 0, 0, 0, 1, 1, true, 1, 0, true, SaveLimits.NONE)));
        MigrationView view = saga.show();
        assertThat(view.phase()).isEqualTo(MigrationPhase.PRE_COPY);
        assertThat(view.remainingBytes()).isEqualTo(42);
        assertThat(view.stats()).isEqualTo(stats);
        assertThat(view.states()).containsExactly(triple);
    }

    @Test
    void aDestinationThatCannotPrepareEndsItWithoutTroublingTheSource() {
        saga.start();
        saga.expect(saga.destination, HostCommand.PrepareIncoming.class);
        saga.tell(new IncomingFailed("m-1", "host-2", "out of memory"));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason()).contains("host host-2 could not take the VM: out of memory");
        assertThat(view.sourceLost()).isFalse();
        saga.source.expectNoMessage();
    }

    @Test
    void aFailureWhileCopyingLeavesTheVmWhereItIsAtNoCost() {
        saga.toSaving();
        saga.tell(new SaveFailed("m-1", "host-1", "connection reset", false, false, List.of()));
        saga.expect(saga.destination, HostCommand.DiscardIncoming.class);
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason()).contains("host host-1 could not send the VM to host host-2: connection reset");
        assertThat(saga.ownership().epoch()).isEqualTo(1);
    }

    @Test
    void mayBeTriedElsewhereAsSoonAsTheSourceGoesOnThoughItsDestinationHasDied() {
        saga.toSaving();
        assertThat(saga.show().retryable()).isFalse();
        saga.tell(new SaveFailed("m-1", "host-1", "connection reset", false, false, List.of()));
        saga.expect(saga.destination, HostCommand.DiscardIncoming.class);
        MigrationView back = saga.show();
        assertThat(back.phase()).isEqualTo(MigrationPhase.ROLLING_BACK);
        assertThat(back.retryable()).isTrue();
        saga.restart();
        assertThat(saga.show().retryable()).isTrue();
        saga.expect(saga.destination, HostCommand.DiscardIncoming.class); // its duty to the end
        saga.kill("host-2", saga.destination);
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.retryable()).isFalse();
        assertThat(view.reason())
                .contains("host host-1 could not send the VM to host host-2: connection reset;"
                        + " host host-2's agent is gone");
    }

    @Test
    void mayNotBeTriedElsewhereBeforeASourceThatStoodStillRunsAgain() {
        saga.toSwitching();
        saga.tell(new SaveFailed("m-1", "host-1", "connection reset", false, true, List.of()));
        saga.expect(saga.source, HostCommand.RunVm.class);
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.ROLLING_BACK);
        assertThat(saga.show().retryable()).isFalse();
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.ROLLING_BACK);
        assertThat(saga.show().retryable()).isTrue();
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        assertThat(saga.ended().retryable()).isFalse();
    }

    @Test
    void tellsWhyTheSourceGaveUpThoughTheDestinationMissedTheStreamFirst() {
        saga.toSaving();
        saga.tell(new IncomingFailed("m-1", "host-2", "stream ended early"));
        saga.expect(saga.source, HostCommand.CancelSave.class);
        saga.tell(new SaveFailed("m-1", "host-1", "standstill over the limit", false, false, List.of()));
        assertThat(saga.ended().reason())
                .contains("host host-1 could not send the VM to host host-2: standstill over the limit;"
                        + " host host-2 could not take the VM: stream ended early");
    }

    @Test
    void keepsWhatWasSentWhenItIsRolledBack() {
        saga.toSaving();
        var triple = new StateTriple("RUNNING", "ACTIVE", "_RUNNING|_SAVING");
        var stats = new SaveStats(64, 10, 10, 0, 5, 1, 100, 1000, 0);
        saga.tell(new SaveProgress(
                "m-1",
                "host-1",
                new Progress(triple, stats, 42, 1, 1, 0, 0, 0, 1, 1, true, 1, 0, true, SaveLimits.NONE)));
        saga.tell(new SaveFailed("m-1", "host-1", "connection reset", false, false, List.of()));
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        assertThat(saga.ended().stats()).isEqualTo(stats);
        saga.restart();
        assertThat(saga.show().stats()).isEqualTo(stats);
    }

    @Test
    void aCancelWhileCopyingEndsOnceBothHostsHaveAnswered() {
        saga.toSaving();
        saga.tell(new CancelMigration("m-1", "changed my mind", saga.client.getRef()));
        assertThat(saga.client.expectMessageClass(MigrationShown.class).view().phase())
                .isEqualTo(MigrationPhase.ROLLING_BACK);
        saga.expect(saga.source, HostCommand.CancelSave.class);
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.ROLLING_BACK);
        saga.tell(new SaveFailed("m-1", "host-1", "cancelled", true, false, List.of()));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.CANCELLED);
        assertThat(view.reason()).contains("changed my mind");
        assertThat(view.retryable()).isFalse();
    }

    @Test
    void aFailureWithTheHandoffOpenIsAbortedInTheLedgerBeforeTheSourceRunsAgain() {
        saga.toSwitching();
        saga.tell(new IncomingFailed("m-1", "host-2", "digest mismatch"));
        HostCommand.RunVm run = saga.expect(saga.source, HostCommand.RunVm.class);
        assertThat(run.epoch()).isEqualTo(2);
        assertThat(saga.ownership().host()).contains("host-1");
        assertThat(saga.ownership().epoch()).isEqualTo(2);
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason()).contains("host host-2 could not take the VM: digest mismatch");
        assertThat(view.epoch()).isEqualTo(2);
    }

    @Test
    void goesForwardWhenTheCommitHasWonTheRace() {
        saga.toSwitching();
        // another recovering coordinator commits behind this one's back, then this one wants to abort
        commitBehindItsBack();
        saga.tell(new SaveFailed("m-1", "host-1", "stream cut", false, true, List.of()));
        assertThat(saga.expect(saga.destination, HostCommand.RunVm.class).epoch())
                .isEqualTo(2);
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.RESUMING);
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of()));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        assertThat(saga.ownership().host()).contains("host-2");
    }

    @Test
    void goesBackWhenTheAbortHasWonTheRace() {
        saga.toSwitching();
        TestProbe<OwnershipReply> other = saga.kit.createTestProbe();
        saga.ledger.tell(new AbortHandoff("vm-1", "m-1", 1, "deadline", other.getRef()));
        other.expectMessageClass(OwnershipReply.OwnershipAccepted.class);
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
        assertThat(saga.show().reason().orElseThrow())
                .contains("the ledger refused: the handoff of migration m-1 was aborted");
    }

    @Test
    void goesOnWhenTheDestinationRunsBeforeItsBeingLoadedIsHeardOf() {
        saga.toSwitching();
        // the destination has asked the ledger itself; the word that it has loaded is lost
        commitBehindItsBack();
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of(SagaFixture.DESTINATION_TRIPLE)));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        saga.tell(new SourceReleased(
                "m-1",
                "host-1",
                SagaFixture.STATS,
                SagaFixture.DOWNTIME,
                List.of(SagaFixture.SOURCE_TRIPLE),
                List.of()));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.COMPLETED);
        assertThat(view.epoch()).isEqualTo(2);
        assertThat(view.verified()).isTrue();
        assertThat(view.states()).containsExactly(SagaFixture.SOURCE_TRIPLE, SagaFixture.DESTINATION_TRIPLE);
        saga.restart();
        assertThat(saga.show()).isEqualTo(view);
    }

    @Test
    void aRunUnderAnyOtherEpochSaysNothingOfTheCommit() {
        saga.toSwitching();
        saga.tell(new VmRunning("m-1", "host-2", 1, List.of()));
        saga.tell(new VmRunning("m-1", "host-2", 3, List.of()));
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.SWITCHOVER);
        assertThat(saga.ownership().epoch()).isEqualTo(1);
    }

    @Test
    void goesOnAfterACrashBetweenTheLedgersCommitAndItsOwnKnowledgeOfIt() {
        var ledger = saga.ledger;
        TestProbe<OwnershipCommand> deaf = saga.kit.createTestProbe();
        saga.toSwitching();
        saga.ledger = deaf.getRef();
        saga.restart();
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        deaf.expectMessageClass(CommitHandoff.class);
        saga.kit.stop(saga.migration);
        saga.ledger = ledger;
        commitBehindItsBack();
        saga.restart();
        assertThat(saga.expect(saga.destination, HostCommand.RunVm.class).epoch())
                .isEqualTo(2);
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of()));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        assertThat(saga.ownership().epoch()).isEqualTo(2);
        assertThat(saga.ownership().host()).contains("host-2");
    }

    @Test
    void takesTheDestinationsWordWhileTheLedgerDoesNotAnswer() {
        TestProbe<OwnershipCommand> deaf = saga.kit.createTestProbe();
        saga.toSwitching();
        commitBehindItsBack();
        saga.ledger = deaf.getRef();
        saga.restart();
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        deaf.expectMessageClass(CommitHandoff.class);
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of(SagaFixture.DESTINATION_TRIPLE)));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        assertThat(saga.show().states()).contains(SagaFixture.DESTINATION_TRIPLE);
    }

    @Test
    void aCancelThatIsTooLateForTheLedgerGoesForwardOnTheDestinationsWord() {
        TestProbe<OwnershipCommand> deaf = saga.kit.createTestProbe();
        saga.toSwitching();
        commitBehindItsBack();
        saga.ledger = deaf.getRef();
        saga.restart();
        saga.tell(new CancelMigration("m-1", "changed my mind", saga.client.getRef()));
        assertThat(saga.client.expectMessageClass(MigrationShown.class).view().phase())
                .isEqualTo(MigrationPhase.ROLLING_BACK);
        deaf.expectMessageClass(AbortHandoff.class);
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of()));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.RELEASING);
    }

    private void commitBehindItsBack() {
        TestProbe<OwnershipReply> other = saga.kit.createTestProbe();
        saga.ledger.tell(new CommitHandoff("vm-1", "m-1", 1, other.getRef()));
        other.expectMessageClass(OwnershipReply.OwnershipAccepted.class);
    }

    @Test
    void anUnansweredSwitchoverIsAbortedAtItsTimeout() {
        with("godwit.migration.switchover-timeout = 400 ms");
        saga.toSwitching();
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
        assertThat(saga.show().reason()).contains("the switchover was not over within 400 ms");
    }

    @Test
    void aSourceWithoutProgressIsGivenUp() {
        with("godwit.migration.progress-timeout = 300 ms");
        saga.toSaving();
        saga.expect(saga.source, HostCommand.CancelSave.class);
        assertThat(saga.show().reason()).contains("host host-1 reported no progress for 300 ms");
    }

    @Test
    void aDestinationThatDiesBeforeTheCommitIsRolledBackFrom() {
        saga.toSaving();
        saga.kill("host-2", saga.destination);
        saga.expect(saga.source, HostCommand.CancelSave.class);
        saga.tell(new SaveFailed("m-1", "host-1", "cancelled", true, false, List.of()));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason()).contains("host host-2's agent is gone");
        assertThat(view.sourceLost()).isFalse();
    }

    @Test
    void aSourceThatDiesWhileCopyingTakesTheVmWithIt() {
        saga.toSaving();
        saga.kill("host-1", saga.source);
        saga.expect(saga.destination, HostCommand.DiscardIncoming.class);
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason())
                .contains("host host-1's agent is gone, and the VM with it unless the host is only cut off");
        assertThat(view.sourceLost()).isTrue();
    }

    @Test
    void aVmWhoseSourceDiesAfterTheDestinationLoadedItSurvives() {
        saga.toSwitching();
        saga.kill("host-1", saga.source);
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        assertThat(saga.expect(saga.destination, HostCommand.RunVm.class).epoch())
                .isEqualTo(2);
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of()));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.COMPLETED);
        assertThat(view.sourceLost()).isFalse();
    }

    @Test
    void aSourceThatDiesInTheSwitchoverBeforeAllIsLoadedLosesTheVm() {
        with("godwit.migration.host-gone-after = 100 ms");
        saga.toSwitching();
        saga.kill("host-1", saga.source);
        saga.tell(new IncomingFailed("m-1", "host-2", "end of stream"));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason().orElseThrow())
                .contains("host host-1's agent is gone, and the VM with it unless the host is only cut off");
        assertThat(view.sourceLost()).isTrue();
        assertThat(saga.ownership().host()).contains("host-1");
    }

    @Test
    void aDestinationThatDiesAfterTheCommitIsSaidToHaveLostTheVm() {
        saga.toResuming();
        saga.kill("host-2", saga.destination);
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(view.reason())
                .contains(
                        "vm 'vm-1' is lost after its handoff was committed: host host-2's agent is gone, and the VM with it"
                                + " unless the host is only cut off");
    }

    @Test
    void cannotBeCancelledAfterTheCommit() {
        saga.toResuming();
        saga.tell(new CancelMigration("m-1", "too late", saga.client.getRef()));
        assertThat(saga.client.expectMessageClass(MigrationRefused.class).reason())
                .isEqualTo("its handoff is committed: there is no way back");
    }

    @Test
    void aDestinationThatKeepsRefusingToRunIsReportedAndNotAskedForEver() {
        saga.toResuming();
        for (int i = 0; i < 5; i++) {
            saga.tell(new CommandRefused("m-1", "host-2", "RunVm", "no VM 'vm-1' here", 0));
        }
        assertThat(saga.ended().reason().orElseThrow())
                .contains("is lost after its handoff was committed: host host-2 refused RunVm: no VM 'vm-1' here");
    }

    @Test
    void repeatsACommandUntilItsReportComes() {
        saga.start();
        saga.destination.expectMessageClass(HostCommand.PrepareIncoming.class);
        saga.destination.expectMessageClass(HostCommand.PrepareIncoming.class);
        saga.tell(new IncomingReady("m-1", "host-2", new DataEndpoint("10.0.0.2", 7000)));
        saga.tell(new IncomingReady("m-1", "host-2", new DataEndpoint("10.0.0.2", 7000)));
        saga.expect(saga.source, HostCommand.BeginSave.class);
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.PRE_COPY);
    }

    @Test
    void recoversInEveryPhaseAndRepeatsWhatIsDue() {
        saga.start();
        saga.restart();
        saga.expect(saga.destination, HostCommand.PrepareIncoming.class);
        saga.tell(new IncomingReady("m-1", "host-2", new DataEndpoint("10.0.0.2", 7000)));
        saga.expect(saga.source, HostCommand.BeginSave.class);
        saga.restart();
        saga.expect(saga.source, HostCommand.BeginSave.class);
        saga.tell(new SaveStarted("m-1", "host-1"));
        saga.tell(new ReadyToSwitchOver("m-1", "host-1", SagaFixture.STATS));
        saga.expect(saga.source, HostCommand.SwitchOver.class);
        saga.restart();
        saga.expect(saga.source, HostCommand.SwitchOver.class);
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        saga.expect(saga.destination, HostCommand.RunVm.class);
        saga.restart();
        saga.expect(saga.destination, HostCommand.RunVm.class);
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of()));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        saga.restart();
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        saga.tell(new SourceReleased("m-1", "host-1", SagaFixture.STATS, SagaFixture.DOWNTIME, List.of(), List.of()));
        assertThat(saga.ended().phase()).isEqualTo(MigrationPhase.COMPLETED);
        saga.restart();
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.COMPLETED);
    }

    @Test
    void asksTheDestinationAgainWhetherItHasLoadedWhenThatWordWasLostWithACoordinator() {
        saga.toSwitching();
        saga.kit.stop(saga.migration);
        TestProbe<HostCommand> fresh = saga.agent("host-2");
        saga.kill("host-2", saga.destination);
        saga.restart();
        saga.expect(fresh, HostCommand.PrepareIncoming.class);
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        assertThat(saga.expect(fresh, HostCommand.RunVm.class).epoch()).isEqualTo(2);
    }

    @Test
    void recoversWhileItAsksTheLedgerToCommitOrToAbort() {
        saga.toSwitching();
        var ledger = saga.ledger;
        TestProbe<OwnershipCommand> deaf = saga.kit.createTestProbe();
        saga.ledger = deaf.getRef();
        saga.restart();
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        deaf.expectMessageClass(CommitHandoff.class);
        saga.restart();
        deaf.expectMessageClass(CommitHandoff.class);
        saga.tell(new IncomingFailed("m-1", "host-2", "out of disk"));
        deaf.fishForMessage(
                Duration.ofSeconds(5),
                command -> command instanceof AbortHandoff
                        ? FishingOutcomes.complete()
                        : FishingOutcomes.continueAndIgnore());
        saga.ledger = ledger;
        saga.restart();
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
        saga.restart();
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
    }

    @Test
    void anEndedMigrationLeavesMemoryAndAnUnknownOneIsRefused() {
        with("godwit.migration.passivate-after = 100 ms");
        saga.tell(new ShowMigration("m-1", saga.client.getRef()));
        assertThat(saga.client.expectMessageClass(MigrationRefused.class).reason())
                .isEqualTo("no migration 'm-1'");
        saga.shard.expectMessageClass(ClusterSharding.Passivate.class);
        saga.tell(new ShowMigration("m-2", saga.client.getRef()));
        assertThat(saga.client.expectMessageClass(MigrationRefused.class).reason())
                .contains("this is migration m-1");
    }

    @Test
    void theLedgerAbortsAtTheDeadlineThoughNoCoordinatorLives() {
        saga.close();
        saga = new SagaFixture("", 300);
        saga.toSwitching();
        saga.kit.stop(saga.migration);
        await().untilAsserted(() -> assertThat(saga.ownership().epoch()).isEqualTo(2));
        assertThat(saga.ownership().host()).contains("host-1");
        assertThat(saga.ownership().handoff()).isEmpty();
    }
}
