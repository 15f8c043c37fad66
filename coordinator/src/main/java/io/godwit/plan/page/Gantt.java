package io.godwit.plan.page;

import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** A bar for every migration, those of one source host together; paler while it has less bandwidth than at its best. */
final class Gantt {
    private static final int TOP = 18;
    /** Height of a bar: with many of them, less. */
    private static final int ROOMY = 16;

    private static final int TIGHT = 4;
    private static final int MANY = 150;

    private final BatchPlan plan;

    Gantt(BatchPlan plan) {
        this.plan = plan;
    }

    String svg() {
        List<ScheduledMove> moves = new ArrayList<>(plan.moves());
        moves.sort(Comparator.comparing(ScheduledMove::from)
                .thenComparingLong(ScheduledMove::startMs)
                .thenComparing(ScheduledMove::vm));
        int row = moves.size() > MANY ? TIGHT : ROOMY;
        int height = TOP + row * moves.size() + 4;
        Axis axis = new Axis(plan.makespanMs());
        StringBuilder svg = new StringBuilder(String.format(
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Migrations over time\">", Axis.WIDTH, height));
        svg.append(axis.ticks(height));
        String host = "";
        for (int m = 0; m < moves.size(); m++) {
            ScheduledMove move = moves.get(m);
            int y = TOP + row * m;
            if (row == ROOMY || !move.from().equals(host)) {
                svg.append(String.format(
                        "<text x=\"0\" y=\"%d\">%s</text>",
                        y + Math.max(row - 4, 8),
                        PlanPage.text(cut(row == ROOMY ? move.from() + ": " + move.vm() : move.from()))));
            }
            host = move.from();
            bars(svg, axis, move, y, row);
        }
        return svg.append("</svg>\n").toString();
    }

    private static void bars(StringBuilder svg, Axis axis, ScheduledMove move, int y, int row) {
        long most = move.shares().stream().mapToLong(Share::mbitPerSecond).max().orElse(0);
        svg.append("<g><title>")
                .append(PlanPage.text(move.vm() + ": " + move.from() + " to " + move.to() + ", "
                        + PlanPage.seconds(move.startMs()) + " to " + PlanPage.seconds(move.endMs()) + ", up to " + most
                        + " Mbit/s"))
                .append("</title>");
        for (int s = 0; s < move.shares().size(); s++) {
            Share share = move.shares().get(s);
            long until = s + 1 < move.shares().size() ? move.shares().get(s + 1).fromMs() : move.endMs();
            svg.append(String.format(
                    Locale.ROOT,
                    "<rect class=\"%s\" x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>",
                    share.mbitPerSecond() == most ? "bar" : "slow",
                    axis.x(share.fromMs()),
                    y,
                    Math.max(0.5, axis.x(until) - axis.x(share.fromMs())),
                    row - 1));
        }
        svg.append("</g>\n");
    }

    private static String cut(String name) {
        return name.length() <= 28 ? name : name.substring(0, 27) + "…";
    }
}
