package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.evacuation.MigrationEvent.DestinationLoaded;
import io.godwit.evacuation.MigrationEvent.DestinationVanished;
import io.godwit.evacuation.MigrationEvent.MigrationStopped;
import io.godwit.evacuation.MigrationEvent.RollbackBegan;
import io.godwit.evacuation.MigrationEvent.SourceVanished;
import io.godwit.evacuation.MigrationState.Aborting;
import io.godwit.evacuation.MigrationState.Asked;
import io.godwit.evacuation.MigrationState.Committing;
import io.godwit.evacuation.MigrationState.Ended;
import io.godwit.evacuation.MigrationState.GoingBack;
import io.godwit.evacuation.MigrationState.Opening;
import io.godwit.evacuation.MigrationState.Preparing;
import io.godwit.evacuation.MigrationState.Releasing;
import io.godwit.evacuation.MigrationState.Resuming;
import io.godwit.evacuation.MigrationState.Saving;
import io.godwit.evacuation.MigrationState.Switching;
import io.godwit.plan.Pictures;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand.PrepareIncoming;
import io.godwit.proto.host.HostCommand.ReleaseSource;
import io.godwit.proto.host.HostCommand.SwitchOver;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipView;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** A QEMU guest outlives its agents: what a migration makes of one that is gone. A native guest is beside it. */
class QemuMigrationRulesTest {
    private static final MigrationOptions VERIFY = new MigrationOptions(300, true, 0, 20_000);
    private static final DataEndpoint THERE = new DataEndpoint("host-2", 7000);
    private static final MigrationTrail TRAIL = MigrationTrail.begin(SaveLimits.NONE);

    private static MigrationJob job(String driver) {
        return new MigrationJob(
                "m-1", Pictures.vm("vm-1", driver, 64), "host-1", "host-2", 1, VERIFY, Optional.empty(), "");
    }

    private static Asked after(Asked state, List<MigrationEvent> events) {
        MigrationState now = state;
        for (MigrationEvent event : events) {
            now = MigrationLog.apply(now, event);
        }
        return (Asked) now;
    }

    private static Asked gone(Asked state, String host) {
        return after(state, MigrationRules.onHostGone(state, host));
    }

    private static Asked hears(Asked state, VmRunning running) {
        return after(state, MigrationRules.onReport(state, running));
    }

    private static VmRunning runs(String host, long epoch) {
        return new VmRunning("m-1", host, epoch, List.of());
    }

    private static OwnershipAccepted ledger(String host, long epoch) {
        return new OwnershipAccepted(
                new OwnershipView("vm-1", Optional.of(host), epoch, Optional.empty(), Optional.of("m-1")));
    }

    private static boolean lost(Asked state) {
        return MigrationViews.of(state, Optional.empty(), List.of()).sourceLost();
    }

    @Test
    void aSourceWhoseAgentIsAwayInPreCopyIsGoneBackToAndNotLostUntilItSaysHowTheVmStands() {
        MigrationJob job = job("qemu");
        for (Asked state : List.<Asked>of(new Saving(job, TRAIL, THERE, true), new Opening(job, TRAIL))) {
            assertThat(MigrationRules.onHostGone(state, "host-1"))
                    .allSatisfy(event -> assertThat(event).isNotInstanceOf(SourceVanished.class))
                    .anySatisfy(event -> assertThat(event)
                            .isInstanceOfSatisfying(
                                    RollbackBegan.class,
                                    began -> assertThat(began.reason())
                                            .contains("host-1's agent is away")
                                            .contains("may still run")));
        }
        Asked back = gone(new Saving(job, TRAIL, THERE, true), "host-1");
        back = after(back, MigrationRules.onReport(back, new IncomingDiscarded("m-1", "host-2")));
        back = gone(back, "host-1");
        assertThat(back)
                .isInstanceOfSatisfying(
                        GoingBack.class, waits -> assertThat(waits.sourceDone()).isFalse());
        back = after(
                back,
                MigrationRules.onReport(
                        back, new SaveFailed("m-1", "host-1", "the agent was started anew", false, false, List.of())));
        assertThat(back.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(lost(back)).isFalse();

        Asked nativeGuest = gone(new Saving(job("kvm"), TRAIL, THERE, true), "host-1");
        nativeGuest = after(nativeGuest, MigrationRules.onReport(nativeGuest, new IncomingDiscarded("m-1", "host-2")));
        assertThat(nativeGuest).isInstanceOf(Ended.class);
        assertThat(lost(nativeGuest)).isTrue();
    }

    @Test
    void aSourceThatIsAwayBeforeItWasToldAnythingEndsTheMigrationWithoutALoss() {
        Asked back = gone(new Preparing(job("qemu"), TRAIL), "host-1");
        back = after(back, MigrationRules.onReport(back, new IncomingDiscarded("m-1", "host-2")));
        assertThat(back.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(lost(back)).isFalse();
    }

    @Test
    void aSourceThatIsAwayDuringTheHandoffRunsAgainUnderTheAbortsEpochOnceItsAgentIsBack() {
        Asked aborting = gone(new Aborting(job("qemu"), TRAIL, "the switchover was not over", false), "host-1");
        assertThat(aborting).isInstanceOf(Aborting.class);
        Asked back = after(aborting, MigrationRules.onLedger(aborting, ledger("host-1", 2)));
        back = after(back, MigrationRules.onReport(back, new IncomingDiscarded("m-1", "host-2")));
        back = gone(back, "host-1");
        assertThat(back)
                .isInstanceOfSatisfying(
                        GoingBack.class, waits -> assertThat(waits.runEpoch()).isEqualTo(2));
        assertThat(MigrationRules.onReport(back, runs("host-1", 1)))
                .as("under an old grant")
                .isEmpty();
        back = hears(back, runs("host-1", 2));
        assertThat(back.phase()).isEqualTo(MigrationPhase.FAILED);
        assertThat(lost(back)).isFalse();
    }

    @Test
    void aMoveIsNotHeldUpByASourceThatCannotLetGoForWantOfAnAgent() {
        MigrationJob job = job("qemu");
        assertThat(MigrationRules.onHostGone(new Switching(job, TRAIL), "host-1"))
                .isEmpty();
        assertThat(MigrationRules.onHostGone(new Resuming(job, TRAIL, 2), "host-1"))
                .isEmpty();
        Asked ended = gone(new Releasing(job, TRAIL, 2, -1), "host-1");
        assertThat(ended.phase()).isEqualTo(MigrationPhase.COMPLETED);
        assertThat(lost(ended)).isFalse();
    }

    @Test
    void aDestinationThatHasTheVmAndNoAgentIsWaitedForAfterTheCommit() {
        MigrationJob job = job("qemu");
        assertThat(MigrationRules.onHostGone(new Resuming(job, TRAIL, 2), "host-2"))
                .isEmpty();
        assertThat(MigrationRules.onHostGone(new Resuming(job("kvm"), TRAIL, 2), "host-2"))
                .first()
                .isInstanceOf(MigrationStopped.class);
        // gone before the commit was heard of: the ledger decides
        Asked aborting = gone(new Committing(job, TRAIL), "host-2");
        assertThat(MigrationRules.onHostGone(new Committing(job, TRAIL), "host-2"))
                .first()
                .isInstanceOf(DestinationVanished.class);
        Asked resuming = after(aborting, MigrationRules.onLedger(aborting, ledger("host-2", 2)));
        assertThat(resuming).isInstanceOf(Resuming.class);
        assertThat(hears(resuming, runs("host-2", 2))).isInstanceOf(Releasing.class);
        assertThat(hears(aborting, runs("host-2", 2)))
                .as("its own word is as good as the ledger's")
                .isInstanceOf(Releasing.class);
    }

    @Test
    void nothingWasComparedWhereQemuMovedTheVm() {
        assertThat(MigrationRules.onReport(new Switching(job("qemu"), TRAIL), runs("host-2", 2)))
                .first()
                .isEqualTo(new DestinationLoaded(false));
        assertThat(MigrationRules.onReport(new Switching(job("kvm"), TRAIL), runs("host-2", 2)))
                .first()
                .isEqualTo(new DestinationLoaded(true));
    }

    @Test
    void withTheHandoffOpenADestinationThatMayHaveLoadedAllOfItAlreadyIsToldAtOnce() {
        assertThat(MigrationDuties.orders(new Switching(job("qemu"), TRAIL)))
                .satisfiesExactly(
                        source -> assertThat(source.command()).isInstanceOf(SwitchOver.class), destination -> {
                            assertThat(destination.host()).isEqualTo("host-2");
                            assertThat(destination.command()).isInstanceOf(PrepareIncoming.class);
                        });
        assertThat(MigrationDuties.reminder(new Switching(job("qemu"), TRAIL))).isEmpty();

        assertThat(MigrationDuties.orders(new Switching(job("kvm"), TRAIL))).hasSize(1);
        assertThat(MigrationDuties.reminder(new Switching(job("kvm"), TRAIL))).isPresent();
    }

    @Test
    void theSourceHearsHowLongTheVmStoodAtTheDestination() {
        Asked resuming = new Resuming(job("qemu"), TRAIL, 2);
        Asked releasing = hears(resuming, new VmRunning("m-1", "host-2", 2, List.of(), 12_345));
        assertThat(MigrationDuties.orders(releasing))
                .singleElement()
                .satisfies(order -> assertThat(order.command()).isEqualTo(new ReleaseSource("m-1", "vm-1", 2, 12_345)));
    }
}
