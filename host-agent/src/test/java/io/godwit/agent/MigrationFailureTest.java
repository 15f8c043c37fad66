package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.device.DeviceFault;
import io.godwit.device.DeviceFaults;
import io.godwit.device.DeviceModels;
import io.godwit.device.DeviceOperation;
import io.godwit.device.DeviceState;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * What goes wrong between two agents, before and after the source has stopped; the test plays coordinator and ledger. What
 * goes wrong in devices is in {@link DeviceFailureTest}.
 */
class MigrationFailureTest {
    private static final VmSpec SPEC =
            TwoHosts.spec("vm-1", "soft", 32, List.of(TwoHosts.gpu("gpu0"), TwoHosts.vnic("vnic0")));

    @Test
    void aDamagedByteInTheStreamIsFoundAndTheVmGoesOnAtTheSource() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            DataEndpoint endpoint = prepared(hosts, TwoHosts.options());
            try (DamagingProxy proxy =
                    new DamagingProxy(endpoint, 5 * TwoHosts.MIB, DamagingProxy.Fault.FLIP, hosts.dataPlane)) {
                hosts.a.tell(begin(proxy.endpoint(), TwoHosts.options()));
                assertThat(bothFail(hosts).get("host-b"))
                        .isInstanceOfSatisfying(
                                MigrationReport.IncomingFailed.class,
                                refused -> assertThat(refused.reason())
                                        .containsAnyOf("checksum", "CRC", "frame", "header"));
                goesOn(hosts, 1);
                hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
            }
        }
    }

    @Test
    void aConnectionCutInPreCopyFailsTheMigrationAndTheVmGoesOnAtTheSource() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            DataEndpoint endpoint = prepared(hosts, TwoHosts.options());
            try (DamagingProxy proxy =
                    new DamagingProxy(endpoint, 3 * TwoHosts.MIB, DamagingProxy.Fault.CUT, hosts.dataPlane)) {
                hosts.a.tell(begin(proxy.endpoint(), TwoHosts.options()));
                MigrationReport.SaveFailed failed = awaitPast(hosts, MigrationReport.SaveFailed.class);
                assertThat(failed.surrendered()).isFalse();
                assertThat(failed.states().getLast()).isEqualTo(new StateTriple("RUNNING", "FAILED", "_RUNNING"));
                goesOn(hosts, 1);
            }
        }
    }

    @Test
    void aCancelledMigrationLeavesNothingBehindAndTheNextOneSucceeds() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            MigrationOptions slow = new MigrationOptions(500, true, 4 * TwoHosts.MIB, 10_000);
            DataEndpoint endpoint = prepared(hosts, slow);
            hosts.a.tell(begin(endpoint, slow));
            hosts.await(MigrationReport.SaveStarted.class);
            hosts.a.tell(new HostCommand.CancelSave("m-1", "vm-1", "the operator asked for it"));
            MigrationReport.SaveFailed failed = awaitPast(hosts, MigrationReport.SaveFailed.class);
            assertThat(failed.cancelled()).isTrue();
            assertThat(failed.states().getLast()).isEqualTo(new StateTriple("RUNNING", "CANCELLED", "_RUNNING"));
            hosts.b.tell(new HostCommand.DiscardIncoming("m-1", "vm-1", "cancelled"));
            // it says so only when the memory is free: nothing else has to be waited for
            assertThat(awaitPast(
                            hosts,
                            MigrationReport.class,
                            report -> report.host().equals("host-b")
                                    && report.migration().equals("m-1")))
                    .isInstanceOfAny(MigrationReport.IncomingFailed.class, MigrationReport.IncomingDiscarded.class);

            hosts.b.tell(new HostCommand.PrepareIncoming("m-2", SPEC, "host-a", 1, TwoHosts.options()));
            DataEndpoint second =
                    awaitPast(hosts, MigrationReport.IncomingReady.class).endpoint();
            hosts.a.tell(new HostCommand.BeginSave(
                    "m-2", "vm-1", 1, second, TwoHosts.options(), TwoHosts.limits(TwoHosts.options())));
            awaitPast(hosts, MigrationReport.ReadyToSwitchOver.class);
            hosts.a.tell(new HostCommand.SwitchOver("m-2", "vm-1", 1));
            assertThat(awaitPast(hosts, MigrationReport.IncomingLoaded.class).verified())
                    .isTrue();
        }
    }

    @Test
    void anAbortAfterTheStopBringsTheVmBackAtTheSourceUnderTheNewEpoch() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            stoppedAndLoaded(hosts);
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 1));
            assertThat(hosts.await(MigrationReport.CommandRefused.class).reason())
                    .as("the epoch it has surrendered is no grant")
                    .contains("surrendered");
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            MigrationReport.VmRunning running = awaitPast(hosts, MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            assertThat(running.states().getLast()).isEqualTo(new StateTriple("RUNNING", "FAILED", "_RUNNING"));
            hosts.b.tell(new HostCommand.DiscardIncoming("m-1", "vm-1", "aborted"));
            goesOn(hosts, 2);
            hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
        }
    }

    @Test
    void aDeviceThatCannotTakeItsStateInLeavesTheSourceStoppedUntilTheLedgerHasSpoken() throws IOException {
        DeviceFaults faults = new DeviceFaults();
        faults.on(DeviceOperation.LOAD_CONFIG, DeviceFault.FAIL);
        try (TwoHosts hosts = new TwoHosts(_ -> new DeviceFaults(), _ -> faults, DeviceModels::withFaults)) {
            hosts.a.tell(begin(prepared(hosts, TwoHosts.options()), TwoHosts.options()));
            awaitPast(hosts, MigrationReport.ReadyToSwitchOver.class);
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            Map<String, MigrationReport> failures = bothFail(hosts);
            assertThat(failures.get("host-a"))
                    .isInstanceOfSatisfying(
                            MigrationReport.SaveFailed.class,
                            failed -> assertThat(failed.surrendered()).isTrue());
            assertThat(failures.get("host-b"))
                    .isInstanceOfSatisfying(
                            MigrationReport.IncomingFailed.class,
                            failed -> assertThat(failed.reason()).contains("config"));
            hosts.inventory(
                    hosts.a,
                    inventory -> inventory.vms().stream().anyMatch(vm -> vm.runState() == RunState.FINISH_MIGRATE));
            // nobody tells it anything: it asks the ledger by itself
            answerLedger(
                    hosts,
                    hosts.a,
                    new OwnershipView("vm-1", Optional.of("host-a"), 2, Optional.empty(), Optional.of("m-1")));
            assertThat(awaitPast(hosts, MigrationReport.VmRunning.class).epoch())
                    .isEqualTo(2);
            goesOn(hosts, 2);
        }
    }

    @Test
    void aLoadedDestinationAsksTheLedgerToCommitUntilItIsAnsweredAndThenRuns() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            stoppedAndLoaded(hosts);
            OwnershipCommand.CommitHandoff lost = ledgerAsked(hosts, hosts.b, OwnershipCommand.CommitHandoff.class);
            assertThat(lost.migration()).isEqualTo("m-1");
            assertThat(lost.epoch()).isEqualTo(1);
            OwnershipView committed =
                    new OwnershipView("vm-1", Optional.of("host-b"), 2, Optional.empty(), Optional.of("m-1"));
            ledgerAsked(hosts, hosts.b, OwnershipCommand.CommitHandoff.class)
                    .replyTo()
                    .tell(new OwnershipReply.OwnershipAccepted(committed));
            MigrationReport.VmRunning running = awaitPast(hosts, MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-b");
            assertThat(running.epoch()).isEqualTo(2);
            // the source asks, too, and stays as it is
            ledgerAsked(hosts, hosts.a, OwnershipCommand.QueryOwnership.class)
                    .replyTo()
                    .tell(new OwnershipReply.OwnershipAccepted(committed));
            hosts.inventory(
                    hosts.a,
                    inventory -> inventory.vms().stream().allMatch(vm -> vm.runState() == RunState.FINISH_MIGRATE));
        }
    }

    @Test
    void aLoadedDestinationWhoseHandoffIsAbortedDiscardsItsCopy() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            stoppedAndLoaded(hosts);
            OwnershipView aborted =
                    new OwnershipView("vm-1", Optional.of("host-a"), 2, Optional.empty(), Optional.of("m-1"));
            ledgerAsked(hosts, hosts.b, OwnershipCommand.CommitHandoff.class)
                    .replyTo()
                    .tell(new OwnershipReply.OwnershipRefused("the handoff of migration m-1 was aborted", aborted));
            assertThat(awaitPast(hosts, MigrationReport.IncomingDiscarded.class).host())
                    .isEqualTo("host-b");
            hosts.inventory(hosts.b, inventory -> inventory.vms().isEmpty());
            answerLedger(hosts, hosts.a, aborted);
            assertThat(awaitPast(hosts, MigrationReport.VmRunning.class).host()).isEqualTo("host-a");
            goesOn(hosts, 2);
        }
    }

    @Test
    void aDestinationRunsOnceHoweverOftenItIsToldAndRepeatsItsWholeWordToWhoeverForgot() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            stoppedAndLoaded(hosts);
            hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            ledgerAsked(hosts, hosts.b, OwnershipCommand.CommitHandoff.class)
                    .replyTo()
                    .tell(new OwnershipReply.OwnershipAccepted(
                            new OwnershipView("vm-1", Optional.of("host-b"), 2, Optional.empty(), Optional.of("m-1"))));
            MigrationReport.VmRunning running = awaitPast(hosts, MigrationReport.VmRunning.class);
            assertThat(running.states()).isNotEmpty();
            hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            assertThat(awaitPast(hosts, MigrationReport.VmRunning.class)).isEqualTo(running);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", SPEC, "host-a", 1, TwoHosts.options()));
            assertThat(awaitPast(hosts, MigrationReport.VmRunning.class)).isEqualTo(running);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-2", SPEC, "host-a", 1, TwoHosts.options()));
            assertThat(awaitPast(hosts, MigrationReport.CommandRefused.class).reason())
                    .contains("runs here already");
        }
    }

    @Test
    void aVmThatDoesNotStartAfterAnAbortIsSaidToStandStillAndStartsWhenToldAgain() throws IOException {
        DeviceFaults faults = new DeviceFaults();
        try (TwoHosts hosts = new TwoHosts(_ -> faults, _ -> new DeviceFaults(), DeviceModels::withFaults)) {
            stoppedAndLoaded(hosts);
            faults.on(DeviceState.RUNNING, DeviceFault.FAIL);
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            MigrationReport.CommandRefused refused = awaitPast(hosts, MigrationReport.CommandRefused.class);
            assertThat(refused.command()).isEqualTo("RunVm");
            assertThat(refused.reason()).contains("epoch 2").contains("did not start");
            hosts.inventory(
                    hosts.a,
                    inventory -> inventory.vms().stream().anyMatch(vm -> vm.runState() == RunState.INTERNAL_ERROR));
            faults.clear();
            hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            MigrationReport.VmRunning running = awaitPast(hosts, MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            goesOn(hosts, 2);
        }
    }

    @Test
    void aVmThatDoesNotRunOnAfterALookIsShownAsFailedAndStartsOnceItCan() throws IOException {
        DeviceFaults faults = new DeviceFaults();
        try (TwoHosts hosts = new TwoHosts(_ -> faults, _ -> new DeviceFaults(), DeviceModels::withFaults)) {
            hosts.create(SPEC);
            faults.on(DeviceState.RUNNING, DeviceFault.FAIL);
            hosts.check(hosts.a, "vm-1");
            hosts.inventory(
                    hosts.a,
                    inventory -> inventory.vms().stream().anyMatch(vm -> vm.runState() == RunState.INTERNAL_ERROR));
            faults.clear();
            goesOn(hosts, 1);
        }
    }

    @Test
    void aSwitchoverBeforePreCopyHasBegunIsRefusedAndTheMigrationGoesOn() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            DataEndpoint endpoint = prepared(hosts, TwoHosts.options());
            hosts.a.tell(begin(endpoint, TwoHosts.options()));
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            assertThat(awaitPast(hosts, MigrationReport.CommandRefused.class).reason())
                    .contains("not set up yet");
            awaitPast(hosts, MigrationReport.ReadyToSwitchOver.class);
            hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
            assertThat(awaitPast(hosts, MigrationReport.IncomingLoaded.class).verified())
                    .isTrue();
        }
    }

    @Test
    void aHandoffThatIsAbortedWhileAStalledPassHoldsUpTheStopLeavesTheVmRunning()
            throws IOException, InterruptedException {
        try (TwoHosts hosts = new TwoHosts()) {
            DataEndpoint endpoint = prepared(hosts, TwoHosts.options());
            try (DamagingProxy proxy =
                    new DamagingProxy(endpoint, 3 * TwoHosts.MIB, DamagingProxy.Fault.STALL, hosts.dataPlane)) {
                hosts.a.tell(begin(proxy.endpoint(), TwoHosts.options()));
                hosts.await(MigrationReport.SaveStarted.class);
                proxy.awaitStalled();
                hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
                hosts.a.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
                MigrationReport.VmRunning running = awaitPast(hosts, MigrationReport.VmRunning.class);
                assertThat(running.host()).isEqualTo("host-a");
                assertThat(running.states())
                        .as("it never stopped")
                        .noneMatch(state -> state.vm().equals("FINISH_MIGRATE"));
                goesOn(hosts, 2);
            }
        }
    }

    @Test
    void aRunWordBeforeTheCopyIsCompleteIsRefused() throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            prepared(hosts, TwoHosts.options());
            hosts.b.tell(new HostCommand.RunVm("m-1", "vm-1", 2));
            assertThat(hosts.await(MigrationReport.CommandRefused.class).reason())
                    .contains("not loaded");
        }
    }

    static DataEndpoint prepared(TwoHosts hosts, MigrationOptions options) {
        hosts.create(SPEC);
        hosts.b.tell(new HostCommand.PrepareIncoming("m-1", SPEC, "host-a", 1, options));
        // the destination finds its way to the ledger
        ledgerAsked(hosts, hosts.b, OwnershipCommand.QueryOwnership.class);
        return hosts.await(MigrationReport.IncomingReady.class).endpoint();
    }

    static HostCommand begin(DataEndpoint endpoint, MigrationOptions options) {
        return new HostCommand.BeginSave("m-1", "vm-1", 1, endpoint, options, TwoHosts.limits(options));
    }

    private static void stoppedAndLoaded(TwoHosts hosts) {
        hosts.a.tell(begin(prepared(hosts, TwoHosts.options()), TwoHosts.options()));
        awaitPast(hosts, MigrationReport.ReadyToSwitchOver.class);
        hosts.a.tell(new HostCommand.SwitchOver("m-1", "vm-1", 1));
        awaitPast(hosts, MigrationReport.IncomingLoaded.class);
    }

    private static void answerLedger(TwoHosts hosts, TwoHosts.Agent asking, OwnershipView view) {
        ledgerAsked(hosts, asking, OwnershipCommand.QueryOwnership.class)
                .replyTo()
                .tell(new OwnershipReply.OwnershipAccepted(view));
    }

    /** The next question of that kind by that host; others are lost: the destination asks, too, while it is loaded. */
    private static <T extends OwnershipCommand> T ledgerAsked(TwoHosts hosts, TwoHosts.Agent asking, Class<T> kind) {
        while (true) {
            OwnershipCommand asked = hosts.ledger.receiveMessage(TwoHosts.PATIENCE);
            if (kind.isInstance(asked) && isBelow(asked.replyTo(), asking.ref())) {
                return kind.cast(asked);
            }
        }
    }

    private static boolean isBelow(ActorRef<?> actor, ActorRef<?> above) {
        return actor.path().toStringWithoutAddress().startsWith(above.path().toStringWithoutAddress() + "/");
    }

    /** The next report of that kind; others are passed over. */
    static <T extends MigrationReport> T awaitPast(TwoHosts hosts, Class<T> kind) {
        return awaitPast(hosts, kind, _ -> true);
    }

    private static <T extends MigrationReport> T awaitPast(TwoHosts hosts, Class<T> kind, Predicate<T> wanted) {
        while (true) {
            var message = hosts.reports.receiveMessage(TwoHosts.PATIENCE);
            assertThat(message).isInstanceOfAny(MigrationReport.class, SaveProgress.class);
            if (kind.isInstance(message) && wanted.test(kind.cast(message))) {
                return kind.cast(message);
            }
        }
    }

    /** Both hosts' failures, by host, in either order; what the source hears may be no more than a lost connection. */
    static Map<String, MigrationReport> bothFail(TwoHosts hosts) {
        Map<String, MigrationReport> failures = new HashMap<>();
        while (failures.size() < 2) {
            MigrationReport report = awaitPast(
                    hosts,
                    MigrationReport.class,
                    r -> r instanceof MigrationReport.SaveFailed || r instanceof MigrationReport.IncomingFailed);
            failures.put(report.host(), report);
        }
        return failures;
    }

    static void goesOn(TwoHosts hosts, long epoch) {
        GuestCheck before = hosts.check(hosts.a, "vm-1");
        Awaitility.await()
                .atMost(TwoHosts.PATIENCE)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    GuestCheck now = hosts.check(hosts.a, "vm-1");
                    assertThat(now.holds()).as(now.detail()).isTrue();
                    return now.guestWrites() > before.guestWrites() && now.dmaWrites() > before.dmaWrites();
                });
        hosts.inventory(
                hosts.a,
                inventory -> inventory.vms().stream()
                        .anyMatch(vm -> vm.runState() == RunState.RUNNING && vm.epoch() == epoch));
    }
}
