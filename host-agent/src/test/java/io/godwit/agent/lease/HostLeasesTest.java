package io.godwit.agent.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.guest.RunPermit;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.lease.LeasedVm;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.RunLog;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The test owns both clocks; the lender is a probe. */
class HostLeasesTest {
    private static final long S = 1_000_000_000;
    private static final VmSpec SPEC =
            new VmSpec("a", "soft", 4 << 20, 1, new WorkloadSpec(0, 0, false), List.of(), 300).withHa(VmSpec.RESTART);
    private static ActorTestKit kit;

    private final AtomicLong now = new AtomicLong(-5);
    private final List<String> log = new ArrayList<>();
    private final LeaseKeeper keeper = new LeaseKeeper(now::get, () -> now.get() + 1000 * S);
    private final RunPermit permit = keeper.permit(SPEC);
    private TestProbe<LeaseCommand> lender;
    private HostLeases leases;

    @BeforeAll
    static void start() {
        kit = ActorTestKit.create();
    }

    @AfterAll
    static void stop() {
        kit.shutdownTestKit();
    }

    @BeforeEach
    void open() {
        lender = kit.createTestProbe();
        leases = new HostLeases(
                "host-1",
                keeper,
                lender.ref(),
                kit.<LeaseReply>createTestProbe().ref(),
                new RunLog() {
                    @Override
                    public void running(String vm, long epoch) {
                        log.add(vm + " RUN " + epoch);
                    }

                    @Override
                    public void stopped(String vm, long epoch) {
                        throw new AssertionError("a stop for want of a lease is when the last batch ended");
                    }

                    @Override
                    public void stoppedAt(String vm, long epoch, long nanos) {
                        log.add(vm + " STOP " + epoch + " at " + (nanos - 1000 * S));
                    }
                });
    }

    private static VmStatus running(long epoch) {
        return new VmStatus(SPEC, RunState.RUNNING, epoch, Optional.empty(), false, Optional.empty());
    }

    private RenewLeases renew(VmStatus... vms) {
        leases.renew(List.of(vms));
        return lender.expectMessageClass(RenewLeases.class);
    }

    private List<VmStatus> lent(RenewLeases asked, VmStatus... vms) {
        return leases.hear(new LeasesRenewed(asked.number(), 20_000, asked.vms(), List.of()), List.of(vms));
    }

    @Test
    void runsFromTheAnswerUntilTheLeaseIsOverThatCountsFromTheQuestion() {
        assertThat(permit.mayRun()).isFalse();
        RenewLeases asked = renew(running(1));
        assertThat(asked.vms()).containsExactly(new LeasedVm("a", 1));
        now.addAndGet(7 * S);
        assertThat(leases.told(running(1)).failure()).contains("it waits for its first lease");
        lent(asked, running(1));
        assertThat(permit.mayRun()).isTrue();
        now.addAndGet(13 * S - 1);
        assertThat(permit.mayRun()).isTrue();
        now.addAndGet(1);
        assertThat(permit.mayRun()).isFalse();
    }

    @Test
    void anAnswerThatComesAfterItsLeaseIsOverLetsNothingRun() {
        RenewLeases asked = renew(running(1));
        now.addAndGet(20 * S);
        lent(asked, running(1));
        assertThat(permit.mayRun()).isFalse();
    }

    @Test
    void anAnswerToAnOlderQuestionShortensNothing() {
        RenewLeases first = renew(running(1));
        now.addAndGet(10 * S);
        RenewLeases second = renew(running(1));
        lent(second, running(1));
        lent(first, running(1));
        now.addAndGet(20 * S - 1);
        assertThat(permit.mayRun()).isTrue();
    }

    @Test
    void recordsWhenItStoodAndThatItRunsAgain() {
        lent(renew(running(1)), running(1));
        permit.ran();
        long last = now.get();
        now.addAndGet(25 * S);
        VmStatus told = leases.told(running(1));
        assertThat(told.failure().orElseThrow()).contains("its lease ran out");
        leases.look(List.of(running(1)));
        leases.look(List.of(running(1)));
        assertThat(log).containsExactly("a STOP 1 at " + last);
        lent(renew(running(1)), running(1));
        assertThat(log).containsExactly("a STOP 1 at " + last, "a RUN 1");
        assertThat(permit.mayRun()).isTrue();
        assertThat(leases.told(running(1)).failure()).isEmpty();
    }

    @Test
    void whatIsFencedOffStandsForGoodAndIsToBeDestroyed() {
        lent(renew(running(1)), running(1));
        RenewLeases asked = renew(running(1));
        List<VmStatus> over =
                leases.hear(new LeasesRenewed(asked.number(), 20_000, List.of(), asked.vms()), List.of(running(1)));
        assertThat(over).containsExactly(running(1));
        assertThat(permit.mayRun()).isFalse();
        // another copy came meanwhile, under a higher epoch: the word was not about that one
        RenewLeases again = renew(running(2));
        lent(again, running(2));
        assertThat(leases.hear(new LeasesRenewed(asked.number(), 20_000, List.of(), asked.vms()), List.of(running(2))))
                .isEmpty();
        assertThat(permit.mayRun()).isTrue();
    }

    @Test
    void aCopyThatArrivesHasItsLeaseBeforeItIsGranted() {
        VmStatus incoming = new VmStatus(SPEC, RunState.RESTORE_VM, 4, Optional.of("m-1"), true, Optional.empty());
        RenewLeases asked = renew(incoming);
        assertThat(asked.vms()).containsExactly(new LeasedVm("a", 5));
        // the answer comes when it runs already
        lent(asked, running(5));
        assertThat(permit.mayRun()).isTrue();
    }

    @Test
    void aNameThatComesBackHasNoLeaseOfItsFormerBearer() {
        lent(renew(running(1)), running(1));
        permit.ran();
        leases.forget("a");
        assertThat(permit.mayRun()).isFalse();
        leases.look(List.of(running(2)));
        assertThat(log).isEmpty();
    }

    @Test
    void othersNeedNone() {
        VmStatus left =
                new VmStatus(SPEC.withHa(VmSpec.LEAVE), RunState.RUNNING, 1, Optional.empty(), false, Optional.empty());
        VmStatus qemu =
                new VmStatus(SPEC.withDriver("qemu"), RunState.RUNNING, 1, Optional.empty(), false, Optional.empty());
        assertThat(keeper.permit(left.spec())).isSameAs(RunPermit.ALWAYS);
        assertThat(keeper.permit(qemu.spec())).isSameAs(RunPermit.ALWAYS);
        leases.renew(List.of(left, qemu));
        lender.expectNoMessage();
        assertThat(leases.told(left)).isEqualTo(left);
    }

    @Test
    void theClockOfLeasesIsMonotonicAndInNanoseconds() {
        var clock = SuspendClock.open();
        long before = clock.nanoTime();
        long systemBefore = System.nanoTime();
        while (System.nanoTime() - systemBefore < 2_000_000) {
            Thread.onSpinWait();
        }
        long passed = clock.nanoTime() - before;
        assertThat(passed).isGreaterThanOrEqualTo(2_000_000);
        assertThat(clock).isInstanceOf(SuspendClock.class);
    }
}
