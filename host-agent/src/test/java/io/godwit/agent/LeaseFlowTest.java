package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.lease.LeasedVm;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whole agents with real guests under leases; the test is the lender, and its clock is the leases'. */
class LeaseFlowTest {
    private static final long S = 1_000_000_000;

    private static RenewLeases asked(TwoHosts hosts) {
        return (RenewLeases) hosts.lender.receiveMessage(TwoHosts.PATIENCE);
    }

    private static void lend(TwoHosts hosts) {
        RenewLeases renew = asked(hosts);
        renew.replyTo().tell(new LeasesRenewed(renew.number(), 20_000, renew.vms(), List.of()));
    }

    private static void awaitFailure(TwoHosts hosts, String word) {
        hosts.inventory(
                hosts.a,
                inventory -> inventory.vms().stream()
                        .anyMatch(vm -> vm.failure().orElse("").contains(word)));
    }

    private static void awaitProgress(TwoHosts hosts, long beyond) {
        Awaitility.await()
                .atMost(TwoHosts.PATIENCE)
                .pollInterval(Duration.ofMillis(50))
                .until(() -> hosts.check(hosts.a, "vm-1").guestWrites() > beyond);
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void aGuestRunsOnlyUnderItsLeaseAndIsDestroyedWhenItIsFencedOff(String driver) throws IOException {
        NativeGuests.driver(driver);
        try (TwoHosts hosts = new TwoHosts()) {
            VmSpec spec = TwoHosts.spec("vm-1", driver, 64, List.of()).withHa(VmSpec.RESTART);
            hosts.create(spec);
            awaitFailure(hosts, "it waits for its first lease");
            assertThat(hosts.check(hosts.a, "vm-1").guestWrites()).isZero();
            lend(hosts);
            awaitProgress(hosts, 0);

            hosts.leaseTime.addAndGet(21 * S);
            awaitFailure(hosts, "its lease ran out");
            assertThat(hosts.runs.getLast()).isEqualTo("host-a stops under 1");
            long stood = hosts.check(hosts.a, "vm-1").guestWrites();
            GuestCheck still = hosts.check(hosts.a, "vm-1");
            assertThat(still.holds()).as(still.detail()).isTrue();
            assertThat(still.guestWrites()).isEqualTo(stood);

            lendAllUntil(hosts, stood);
            RenewLeases last = asked(hosts);
            last.replyTo().tell(new LeasesRenewed(last.number(), 20_000, List.of(), List.of(new LeasedVm("vm-1", 1))));
            hosts.inventory(hosts.a, inventory -> inventory.vms().isEmpty());
        }
    }

    /** Questions that were sent while the clock stood at an older time are answered in vain. */
    private static void lendAllUntil(TwoHosts hosts, long beyond) {
        Awaitility.await().atMost(TwoHosts.PATIENCE).until(() -> {
            lend(hosts);
            return hosts.check(hosts.a, "vm-1").guestWrites() > beyond;
        });
    }

    @ParameterizedTest
    @ValueSource(strings = "soft")
    void aCopyThatArrivesAsksForItsLeaseBeforeItRuns(String driver) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            VmSpec spec = TwoHosts.spec("vm-1", driver, 64, List.of()).withHa(VmSpec.RESTART);
            hosts.b.tell(new HostCommand.PrepareIncoming("m-1", spec, "host-a", 4, TwoHosts.options()));
            hosts.await(MigrationReport.IncomingReady.class);
            RenewLeases renew = asked(hosts);
            assertThat(renew.host()).isEqualTo("host-b");
            assertThat(renew.vms()).containsExactly(new LeasedVm("vm-1", 5));
            hosts.inventory(
                    hosts.b,
                    inventory -> inventory.vms().stream().map(VmStatus::failure).allMatch(Optional::isEmpty));
        }
    }
}
