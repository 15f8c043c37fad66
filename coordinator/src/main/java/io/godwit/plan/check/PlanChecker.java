package io.godwit.plan.check;

import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Replays a plan on a case. Every constraint is looked at in every instant at which anything changes. What ends at an
 * instant has ended before what starts at it.
 */
public final class PlanChecker {
    private final PlanCase plan;
    private final BatchPlan result;
    private final Map<String, PlanHost> hosts;
    private final Map<String, PlanVm> vms;
    private final List<Violation> violations = new ArrayList<>();

    private PlanChecker(PlanCase plan, BatchPlan result) {
        this.plan = plan;
        this.result = result;
        hosts = plan.hostsByName();
        vms = plan.vmsByName();
    }

    /** What {@code result} breaks of {@code plan}, by time; nothing when it is sound. */
    public static List<Violation> check(PlanCase plan, BatchPlan result) {
        PlanChecker checker = new PlanChecker(plan, result);
        checker.run();
        checker.violations.sort(Comparator.comparingLong(Violation::atMs));
        return List.copyOf(checker.violations);
    }

    private void broken(long atMs, Kind kind, String message) {
        violations.add(new Violation(atMs, kind, message));
    }

    private void run() {
        List<ScheduledMove> sound = result.moves().stream().filter(this::known).toList();
        Replay replay = new Replay(plan, hosts, vms, this::broken);
        sound.forEach(this::alone);
        replay.run(sound);
        new FinalState(plan, hosts, vms, this::broken).check(sound, result, replay.places());
    }

    private boolean known(ScheduledMove move) {
        boolean known = true;
        if (!vms.containsKey(move.vm())) {
            broken(move.startMs(), Kind.UNKNOWN, "vm '" + move.vm() + "' is not in the fleet");
            known = false;
        }
        for (String host : List.of(move.from(), move.to())) {
            if (!hosts.containsKey(host)) {
                broken(move.startMs(), Kind.UNKNOWN, "host '" + host + "' is not in the fleet");
                known = false;
            }
        }
        return known;
    }

    /** What can be said of one move without the others. */
    private void alone(ScheduledMove move) {
        PlanVm vm = vms.get(move.vm());
        PlanHost to = hosts.get(move.to());
        if (vm == null || to == null) {
            return;
        }
        long at = move.startMs();
        String who = "vm '" + vm.name() + "'";
        if (!vm.immovable().isEmpty()) {
            broken(at, Kind.FORBIDDEN, who + " moves, but " + vm.immovable());
        }
        if (!vm.onlyHosts().isEmpty() && !vm.onlyHosts().contains(to.name()) && !waypoint(move)) {
            broken(at, Kind.FORBIDDEN, who + " may only be on " + vm.onlyHosts() + ", not on '" + to.name() + "'");
        }
        if (vm.bannedHosts().contains(to.name())) {
            broken(at, Kind.FORBIDDEN, who + " may not be on '" + to.name() + "'");
        }
        if (!to.tags().containsAll(vm.onlyTags())) {
            Set<String> missing = new HashSet<>(vm.onlyTags());
            missing.removeAll(to.tags());
            broken(at, Kind.FORBIDDEN, who + " needs a host with " + missing + "; '" + to.name() + "' has none");
        }
        if (!to.closed().isEmpty()) {
            broken(at, Kind.HOST, who + " goes to '" + to.name() + "', which " + to.closed());
        } else if (plan.drained().contains(to.name())) {
            broken(at, Kind.HOST, who + " goes to '" + to.name() + "', which is being emptied");
        }
        if (at < to.bootMs()) {
            broken(at, Kind.HOST, who + " goes to '" + to.name() + "', which boots until " + to.bootMs() + " ms");
        }
        ShareCheck.check(plan.transfer(), vm, move, this::broken);
    }

    /** With a destination given, the hosts before it are passed only. */
    private boolean waypoint(ScheduledMove move) {
        String end = plan.destinations().get(move.vm());
        return end != null
                && result.moves().stream()
                        .anyMatch(later -> later.vm().equals(move.vm())
                                && later.startMs() >= move.endMs()
                                && later.to().equals(end));
    }

    /** Where violations go. */
    @FunctionalInterface
    interface Report {
        /** One more. */
        void broken(long atMs, Kind kind, String message);
    }
}
