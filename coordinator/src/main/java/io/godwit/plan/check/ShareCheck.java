package io.godwit.plan.check;

import io.godwit.plan.check.Violation.Kind;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import io.godwit.plan.model.TransferModel;
import java.util.List;

/** Whether a migration can be done in its time with its bandwidth, and how long its guest stands still. */
final class ShareCheck {
    /** Times are whole milliseconds: what is missing below this is rounding. */
    private static final double ROUNDING = 1e-6;

    private ShareCheck() {}

    static void check(TransferModel transfer, PlanVm vm, ScheduledMove move, PlanChecker.Report report) {
        List<Share> shares = move.shares();
        String who = "vm '" + vm.name() + "'";
        if (move.startMs() < 0 || move.endMs() <= move.startMs()) {
            report.broken(
                    move.startMs(),
                    Kind.DURATION,
                    who + " moves from " + move.startMs() + " to " + move.endMs()
                            + " ms; expected an end after a start");
            return;
        }
        if (shares.isEmpty() || shares.getFirst().fromMs() != move.startMs()) {
            report.broken(move.startMs(), Kind.DURATION, who + " starts without bandwidth");
            return;
        }
        double done = 0;
        for (int s = 0; s < shares.size(); s++) {
            Share share = shares.get(s);
            long until = s + 1 < shares.size() ? shares.get(s + 1).fromMs() : move.endMs();
            if (share.mbitPerSecond() <= 0 || until <= share.fromMs()) {
                report.broken(
                        share.fromMs(),
                        Kind.DURATION,
                        who + " has " + share.mbitPerSecond() + " Mbit/s from " + share.fromMs() + " to " + until
                                + " ms; expected more than 0, in order");
                return;
            }
            if (share.mbitPerSecond() > transfer.mostMbit()) {
                report.broken(
                        share.fromMs(),
                        Kind.LINK,
                        who + " has " + share.mbitPerSecond() + " Mbit/s; expected at most " + transfer.mostMbit());
            }
            done += (double) (until - share.fromMs()) / transfer.durationMs(vm.ram(), share.mbitPerSecond());
        }
        if (done < 1 - ROUNDING) {
            report.broken(
                    move.endMs(),
                    Kind.DURATION,
                    who + " ends with " + Math.round(100 * done) + " % of its copying done");
        }
        long blackout = transfer.blackoutMs(vm.ram(), shares.getLast().mbitPerSecond());
        if (blackout > vm.blackoutBudgetMs()) {
            report.broken(
                    move.endMs(),
                    Kind.BLACKOUT,
                    who + " stands still for " + blackout + " ms; its budget is " + vm.blackoutBudgetMs() + " ms");
        }
    }
}
