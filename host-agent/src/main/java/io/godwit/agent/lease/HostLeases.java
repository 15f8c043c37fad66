package io.godwit.agent.lease;

import io.godwit.proto.host.VmStatus;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.lease.LeaseCommand.RenewLeases;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.lease.LeasedVm;
import io.godwit.proto.vm.RunState;
import io.godwit.vm.RunLog;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Keeps the leases of the VMs on this host: asks for them, hears the answers, and records when a VM stands still for want of
 * one. A VM whose lease has run out keeps its memory and goes on where it stood when it gets another, for nobody else can have
 * it then; one that was fenced off gets none ever again. Confined to the agent's actor.
 */
public final class HostLeases {
    private final String host;
    private final LeaseKeeper keeper;
    private final ActorRef<LeaseCommand> lender;
    private final ActorRef<LeaseReply> self;
    private final RunLog runLog;
    private final Set<String> standing = new HashSet<>();

    /**
     * @param lender takes what goes to the lender of leases, wherever that is
     * @param self hears its answers
     */
    public HostLeases(
            String host, LeaseKeeper keeper, ActorRef<LeaseCommand> lender, ActorRef<LeaseReply> self, RunLog runLog) {
        this.host = host;
        this.keeper = keeper;
        this.lender = lender;
        this.self = self;
        this.runLog = runLog;
    }

    /** Asks for leases of those of {@code vms} that need one. A copy that arrives will run under the next epoch. */
    public void renew(Collection<VmStatus> vms) {
        List<LeasedVm> needed = vms.stream()
                .filter(vm -> LeaseKeeper.governs(vm.spec()))
                .map(vm -> new LeasedVm(vm.spec().name(), wouldRunUnder(vm)))
                .toList();
        if (!needed.isEmpty()) {
            look(vms);
            lender.tell(new RenewLeases(host, keeper.ask(), needed, self));
        }
    }

    /** Takes an answer; the VMs that it fences off, to be destroyed. */
    public List<VmStatus> hear(LeaseReply reply, Collection<VmStatus> vms) {
        if (!(reply instanceof LeasesRenewed renewed)) {
            return List.of();
        }
        look(vms);
        if (keeper.lasts(renewed.number(), renewed.durationMs())) {
            for (LeasedVm lent : renewed.lent()) {
                lend(renewed, lent, find(vms, lent.vm()));
            }
        }
        List<VmStatus> over = renewed.fenced().stream()
                .flatMap(fenced -> find(vms, fenced.vm()).filter(vm -> wouldRunUnder(vm) <= fenced.epoch()).stream())
                .toList();
        over.forEach(vm -> keeper.takeBack(vm.spec().name()));
        return over;
    }

    /** {@code vm} is not here any more. */
    public void forget(String vm) {
        keeper.forget(vm);
        standing.remove(vm);
    }

    /** How {@code vm} stands, with a word about a lease that it lacks. */
    public VmStatus told(VmStatus vm) {
        String name = vm.spec().name();
        if (!LeaseKeeper.governs(vm.spec()) || !runs(vm) || vm.failure().isPresent() || keeper.mayRun(name)) {
            return vm;
        }
        String why = keeper.lastRanNanos(name).isPresent()
                ? "it stands still: its lease ran out, and no coordinator has renewed it yet"
                : "it waits for its first lease";
        return new VmStatus(
                vm.spec(), vm.runState(), vm.epoch(), vm.migration(), vm.incoming(), Optional.of(why), vm.blockers());
    }

    /** Records who stands still for want of a lease. */
    public void look(Collection<VmStatus> vms) {
        for (VmStatus vm : vms) {
            String name = vm.spec().name();
            if (LeaseKeeper.governs(vm.spec()) && runs(vm) && !keeper.mayRun(name)) {
                keeper.lastRanNanos(name).ifPresent(nanos -> {
                    if (standing.add(name)) {
                        runLog.stoppedAt(name, vm.epoch(), nanos);
                    }
                });
            }
        }
    }

    private void lend(LeasesRenewed renewed, LeasedVm lent, Optional<VmStatus> vm) {
        // whatever asked under another epoch is not what is here now
        if (vm.filter(here -> wouldRunUnder(here) == lent.epoch()).isEmpty()) {
            return;
        }
        if (standing.remove(lent.vm())) {
            // a run is recorded before it begins
            runLog.running(lent.vm(), vm.get().epoch());
        }
        keeper.lent(renewed.number(), renewed.durationMs(), lent.vm());
    }

    private static boolean runs(VmStatus vm) {
        return vm.runState() == RunState.RUNNING;
    }

    private static long wouldRunUnder(VmStatus vm) {
        return vm.incoming() ? vm.epoch() + 1 : vm.epoch();
    }

    private static Optional<VmStatus> find(Collection<VmStatus> vms, String name) {
        return vms.stream().filter(vm -> vm.spec().name().equals(name)).findFirst();
    }
}
