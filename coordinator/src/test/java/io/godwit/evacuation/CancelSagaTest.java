package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationReply.MigrationRefused;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.IncomingFailed;
import io.godwit.proto.migration.MigrationReport.IncomingLoaded;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.MigrationRequest.CancelMigration;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import java.util.List;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** {@code godwit migration cancel} in every phase: rolled back before the commit, refused after it. */
class CancelSagaTest {
    private final SagaFixture saga = new SagaFixture("");

    @AfterEach
    void close() {
        saga.close();
    }

    private MigrationPhase cancel() {
        saga.tell(new CancelMigration("m-1", "changed my mind", saga.client.getRef()));
        return saga.client.expectMessageClass(MigrationShown.class).view().phase();
    }

    private String refusedToCancel() {
        saga.tell(new CancelMigration("m-1", "changed my mind", saga.client.getRef()));
        return saga.client.expectMessageClass(MigrationRefused.class).reason();
    }

    /** The source runs the VM; the destination, if it had a copy, says that it has none any more. */
    private void endsAsCancelled(long epoch) {
        saga.expect(saga.destination, HostCommand.DiscardIncoming.class);
        saga.tell(new IncomingDiscarded("m-1", "host-2"));
        MigrationView view = saga.ended();
        assertThat(view.phase()).isEqualTo(MigrationPhase.CANCELLED);
        assertThat(view.reason()).contains("changed my mind");
        assertThat(view.epoch()).isEqualTo(epoch);
        assertThat(saga.ownership().host()).contains("host-1");
        assertThat(saga.ownership().epoch()).isEqualTo(epoch);
        assertThat(saga.ownership().handoff()).isEmpty();
        assertThat(refusedToCancel()).isEqualTo("it has ended as CANCELLED");
    }

    /** As the coordinator would see it if every word to and from the ledger were late. */
    private TestProbe<OwnershipCommand> deafLedger() {
        TestProbe<OwnershipCommand> deaf = saga.kit.createTestProbe();
        saga.ledger = deaf.getRef();
        saga.restart();
        return deaf;
    }

    @Test
    void anUnknownOneIsRefused() {
        assertThat(refusedToCancel()).isEqualTo("no migration 'm-1'");
    }

    @Test
    void whileTheDestinationPreparesTheSourceIsNotTroubled() {
        saga.start();
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        endsAsCancelled(1);
        saga.source.expectNoMessage();
    }

    @Test
    void whileItPreCopiesTheSourceGoesOn() {
        saga.toSaving();
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        assertThat(saga.expect(saga.source, HostCommand.CancelSave.class).reason())
                .isEqualTo("changed my mind");
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK); // again: no harm
        saga.tell(new SaveFailed("m-1", "host-1", "changed my mind", true, false, List.of()));
        endsAsCancelled(1);
    }

    @Test
    void beforeTheSourceHasBegunItsRefusalIsAsGood() {
        saga.toSaving();
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        saga.expect(saga.source, HostCommand.CancelSave.class);
        saga.tell(new CommandRefused("m-1", "host-1", "CancelSave", "no such migration here", 1));
        endsAsCancelled(1);
    }

    @Test
    void whileTheHandoffIsBeingOpenedTheLedgerEndsIt() {
        saga.toSaving();
        ActorRef<OwnershipCommand> ledger = saga.ledger;
        TestProbe<OwnershipCommand> deaf = deafLedger();
        saga.tell(new ReadyToSwitchOver("m-1", "host-1", SagaFixture.STATS));
        deaf.expectMessageClass(BeginHandoff.class);
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.HANDOFF);
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        // the ledger has never heard of it: its abort moves the epoch on, so that a begin on its way comes too late
        saga.ledger = ledger;
        saga.restart();
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        endsAsCancelled(2);
    }

    @Test
    void inTheSwitchoverTheLedgerAbortsBeforeTheSourceRunsAgain() {
        saga.toSwitching();
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        endsAsCancelled(2);
    }

    @Test
    void whileItIsBeingCommittedTheAbortMayStillWin() {
        saga.toSwitching();
        ActorRef<OwnershipCommand> ledger = saga.ledger;
        TestProbe<OwnershipCommand> deaf = deafLedger();
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        deaf.expectMessageClass(CommitHandoff.class);
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        saga.ledger = ledger;
        saga.restart();
        assertThat(saga.expect(saga.source, HostCommand.RunVm.class).epoch()).isEqualTo(2);
        saga.tell(new VmRunning("m-1", "host-1", 2, List.of()));
        endsAsCancelled(2);
    }

    @Test
    void whileItIsBeingCommittedTheCommitMayHaveWonAndThenItGoesForward() {
        saga.toSwitching();
        ActorRef<OwnershipCommand> ledger = saga.ledger;
        TestProbe<OwnershipCommand> deaf = deafLedger();
        saga.tell(new IncomingLoaded("m-1", "host-2", 1, true));
        deaf.expectMessageClass(CommitHandoff.class);
        TestProbe<OwnershipReply> committed = saga.kit.createTestProbe();
        ledger.tell(new CommitHandoff("vm-1", "m-1", 1, committed.getRef()));
        committed.expectMessageClass(OwnershipReply.OwnershipAccepted.class);
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        saga.ledger = ledger;
        saga.restart();
        assertThat(saga.expect(saga.destination, HostCommand.RunVm.class).epoch())
                .isEqualTo(2);
        assertThat(refusedToCancel()).isEqualTo("its handoff is committed: there is no way back");
        assertThat(saga.ownership().host()).contains("host-2");
    }

    @Test
    void afterTheCommitItIsRefused() {
        saga.toResuming();
        assertThat(refusedToCancel()).isEqualTo("its handoff is committed: there is no way back");
        saga.tell(new VmRunning("m-1", "host-2", 2, List.of()));
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        assertThat(refusedToCancel()).isEqualTo("its handoff is committed: there is no way back");
        assertThat(saga.show().phase()).isEqualTo(MigrationPhase.RELEASING);
    }

    @Test
    void oneThatIsFailingAlreadyStaysFailed() {
        saga.toSaving();
        saga.tell(new IncomingFailed("m-1", "host-2", "out of memory"));
        saga.expect(saga.source, HostCommand.CancelSave.class);
        assertThat(cancel()).isEqualTo(MigrationPhase.ROLLING_BACK);
        saga.tell(new SaveFailed("m-1", "host-1", "cancelled", true, false, List.of()));
        assertThat(saga.ended().phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(refusedToCancel()).isEqualTo("it has ended as FAILED");
    }
}
