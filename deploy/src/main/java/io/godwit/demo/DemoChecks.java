package io.godwit.demo;

import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** What must hold after the demo's evacuation. A VM of which nothing is known fails every check about it. */
final class DemoChecks {
    /** What the ledger's epoch must be: 1 for the VM's creation, one more for its one move. */
    private static final long EPOCH = 2;

    private static final String SAVING = "_RUNNING|_SAVING";

    /** States every migration of a VM with devices must pass through, in this order (VFIO save flow, then resume). */
    private static final List<StateTriple> FLOW = List.of(
            new StateTriple("RUNNING", "SETUP", SAVING),
            new StateTriple("RUNNING", "ACTIVE", SAVING),
            new StateTriple("FINISH_MIGRATE", "DEVICE", "_SAVING"),
            new StateTriple("FINISH_MIGRATE", "DEVICE", "_STOPPED"),
            new StateTriple("FINISH_MIGRATE", "COMPLETED", "_STOPPED"),
            new StateTriple("RESTORE_VM", "ACTIVE", "_STOPPED"),
            new StateTriple("RESTORE_VM", "ACTIVE", "_RESUMING"),
            new StateTriple("RUNNING", "NONE", "_RUNNING"));

    private final String drained;
    private final List<String> names;

    /** All that was seen: guests checked first on arrival and again after they ran on. */
    record Seen(
            EvacuationView evacuation,
            Map<String, MigrationView> migrations,
            Map<String, GuestCheck> first,
            Map<String, GuestCheck> second,
            Map<String, OwnershipView> owners,
            Map<String, List<String>> running,
            RunLog log,
            List<String> dead) {}

    DemoChecks(String drained, List<String> names) {
        this.drained = drained;
        this.names = names;
    }

    List<Check> judge(Seen seen) {
        List<Check> checks = new ArrayList<>(moved(seen));
        checks.add(each(
                "digests of both sides are equal",
                name -> verified(seen.migrations().get(name))));
        checks.add(each(
                "guests wrote memory while they migrated",
                name -> dirtied(seen.migrations().get(name))));
        checks.add(each(
                "VM, migration and devices went through their states",
                name -> flow(seen.migrations().get(name), FLOW, DemoChecks::withoutBystanders)));
        checks.add(each(
                "no write of guest or device was lost or doubled",
                name -> rule(seen.second().get(name))));
        checks.add(each(
                "guests run on at their destinations",
                name -> ranOn(seen.first().get(name), seen.second().get(name), true)));
        checks.addAll(owned(seen));
        return checks;
    }

    /** That the evacuation did what it was asked for. */
    List<Check> moved(Seen seen) {
        return List.of(
                one("the evacuation completed", evacuation(seen.evacuation())),
                each("every VM was migrated", name -> migrated(seen.migrations().get(name))));
    }

    /** That no VM ever ran twice, and each runs where the ledger says. */
    List<Check> owned(Seen seen) {
        List<Check> checks = new ArrayList<>();
        checks.add(each(
                "the ledger is at epoch 2, elsewhere",
                name -> owner(seen.owners().get(name))));
        checks.add(each(
                "exactly one instance runs, where the ledger says",
                name -> single(seen.owners().get(name), seen.running().getOrDefault(name, List.of()))));
        checks.add(each(
                "run logs agree with the ledger", name -> logged(seen.owners().get(name), seen.log(), name)));
        checks.add(one("no VM ran on two hosts at any moment", seen.log().overlap()));
        checks.add(one("epochs only grew", seen.log().staleEpoch()));
        checks.add(one(
                "no process ended",
                seen.dead().isEmpty() ? Optional.empty() : Optional.of(String.join(", ", seen.dead()) + " ended")));
        return checks;
    }

    /** A check of each VM; {@code wrong} says what is, if anything. */
    Check each(String name, Function<String, Optional<String>> wrong) {
        List<String> all = new ArrayList<>();
        for (String vm : names) {
            wrong.apply(vm).ifPresent(why -> all.add(vm + " " + why));
        }
        return new Check(name, all.isEmpty(), all.isEmpty() ? "all " + names.size() + " VMs" : String.join(", ", all));
    }

    private static Check one(String name, Optional<String> wrong) {
        return new Check(name, wrong.isEmpty(), wrong.orElse(""));
    }

    private Optional<String> evacuation(EvacuationView view) {
        List<String> left = view.vms().stream()
                .filter(row -> !row.state().equals("MOVED"))
                .map(row -> row.vm() + " is " + row.state()
                        + row.reason().map(why -> ": " + why).orElse(""))
                .toList();
        return view.state().equals("COMPLETED") && left.isEmpty() && view.vms().size() == names.size()
                ? Optional.empty()
                : Optional.of(view.state() + " with " + view.vms().size() + " VMs of " + names.size() + "; "
                        + String.join(", ", left));
    }

    private Optional<String> migrated(@Nullable MigrationView view) {
        if (view == null) {
            return Optional.of("has no migration");
        }
        return view.phase() == MigrationPhase.COMPLETED
                        && view.from().equals(drained)
                        && !view.to().equals(drained)
                ? Optional.empty()
                : Optional.of("is " + view.phase() + " from " + view.from() + " to " + view.to()
                        + view.reason().map(why -> ": " + why).orElse(""));
    }

    private static Optional<String> verified(@Nullable MigrationView view) {
        return view != null && view.verified() ? Optional.empty() : Optional.of("was not verified");
    }

    private static Optional<String> dirtied(@Nullable MigrationView view) {
        return view != null && view.stats().dirtiedPages() > 0
                ? Optional.empty()
                : Optional.of("dirtied no page after the first pass");
    }

    /** What of {@code flow} the migration did not go through, in its order; {@code as}: for what a state counts. */
    static Optional<String> flow(@Nullable MigrationView view, List<StateTriple> flow, UnaryOperator<StateTriple> as) {
        if (view == null) {
            return Optional.of("has no migration");
        }
        int next = 0;
        for (StateTriple state : view.states()) {
            if (next < flow.size() && as.apply(state).equals(flow.get(next))) {
                next++;
            }
        }
        return next == flow.size() ? Optional.empty() : Optional.of("never reached " + flow.get(next) + " in order");
    }

    /** A device without pre-copy goes on running beside one that has it: that is no state of the flow. */
    private static StateTriple withoutBystanders(StateTriple state) {
        return state.device().equals(SAVING + ",_RUNNING")
                ? new StateTriple(state.vm(), state.migration(), SAVING)
                : state;
    }

    static Optional<String> rule(@Nullable GuestCheck check) {
        return check != null && check.holds()
                ? Optional.empty()
                : Optional.of(check == null ? "was not checked" : check.detail());
    }

    /** Whether it wrote between two checks; {@code devices}: and its devices. */
    static Optional<String> ranOn(@Nullable GuestCheck first, @Nullable GuestCheck second, boolean devices) {
        if (first == null || second == null) {
            return Optional.of("was not checked");
        }
        return second.guestWrites() > first.guestWrites() && (!devices || second.dmaWrites() > first.dmaWrites())
                ? Optional.empty()
                : Optional.of("stood still: guest writes " + first.guestWrites() + " then " + second.guestWrites()
                        + ", device writes " + first.dmaWrites() + " then " + second.dmaWrites());
    }

    private Optional<String> owner(@Nullable OwnershipView owner) {
        if (owner == null) {
            return Optional.of("has no entry");
        }
        boolean good = owner.epoch() == EPOCH
                && owner.handoff().isEmpty()
                && owner.host().isPresent()
                && !owner.grants(drained);
        return good
                ? Optional.empty()
                : Optional.of("is owned by " + owner.host().orElse("nobody") + " at epoch " + owner.epoch()
                        + (owner.handoff().isPresent() ? " with an open handoff" : ""));
    }

    static Optional<String> single(@Nullable OwnershipView owner, List<String> hosts) {
        return owner != null
                        && owner.host().isPresent()
                        && hosts.equals(List.of(owner.host().get()))
                ? Optional.empty()
                : Optional.of("runs on " + (hosts.isEmpty() ? "no host" : String.join(" and ", hosts)));
    }

    private static Optional<String> logged(@Nullable OwnershipView owner, RunLog log, String name) {
        List<RunLog.Interval> open = log.open(name);
        boolean good = owner != null
                && open.size() == 1
                && owner.grants(open.getFirst().host())
                && open.getFirst().epoch() == owner.epoch();
        return good
                ? Optional.empty()
                : Optional.of("runs by the logs on "
                        + open.stream()
                                .map(run -> run.host() + " (epoch " + run.epoch() + ")")
                                .toList());
    }
}
