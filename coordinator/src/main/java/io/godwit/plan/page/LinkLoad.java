package io.godwit.plan.page;

import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.Paths;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What the busiest links carry over time, as a share of what they could. */
final class LinkLoad {
    /** As many as one looks at. */
    private static final int SHOWN = 16;

    private static final int ROW = 36;
    private static final int TOP = 18;

    /** A link with its changes of load, Mbit/s by ms, and the traffic of the whole plan over its capacity. */
    private record Channel(String name, long capacity, TreeMap<Long, Long> changes, double busyMs) {}

    private final List<Channel> busiest;
    private final long endMs;

    private LinkLoad(List<Channel> busiest, long endMs) {
        this.busiest = busiest;
        this.endMs = endMs;
    }

    static LinkLoad of(PlanCase plan, BatchPlan result) {
        Paths paths = new Paths(plan.network());
        Map<Integer, TreeMap<Long, Long>> changes = new HashMap<>();
        double[] busyMs = new double[paths.channels()];
        for (ScheduledMove move : result.moves()) {
            for (int channel : way(paths, move)) {
                TreeMap<Long, Long> of = changes.computeIfAbsent(channel, _ -> new TreeMap<>());
                long before = 0;
                for (int s = 0; s < move.shares().size(); s++) {
                    Share share = move.shares().get(s);
                    long until = s + 1 < move.shares().size()
                            ? move.shares().get(s + 1).fromMs()
                            : move.endMs();
                    of.merge(share.fromMs(), share.mbitPerSecond() - before, Long::sum);
                    busyMs[channel] +=
                            (double) share.mbitPerSecond() * (until - share.fromMs()) / paths.capacity(channel);
                    before = share.mbitPerSecond();
                }
                of.merge(move.endMs(), -before, Long::sum);
            }
        }
        List<Channel> all = new ArrayList<>();
        changes.forEach((channel, of) ->
                all.add(new Channel(paths.name(channel), paths.capacity(channel), of, busyMs[channel])));
        all.sort(Comparator.comparingDouble((Channel channel) -> -channel.busyMs())
                .thenComparing(Channel::name));
        return new LinkLoad(all.subList(0, Math.min(SHOWN, all.size())), result.makespanMs());
    }

    /** Nothing for a move that there is no way for: a plan that is wrong is shown, too. */
    private static int[] way(Paths paths, ScheduledMove move) {
        try {
            return paths.between(move.from(), move.to());
        } catch (IllegalArgumentException _) {
            return new int[0];
        }
    }

    String svg() {
        if (busiest.isEmpty()) {
            return "<p>No network is modelled, or nothing moves.</p>\n";
        }
        int height = TOP + ROW * busiest.size();
        Axis axis = new Axis(endMs);
        StringBuilder svg = new StringBuilder(String.format(
                "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Link load over time\">", Axis.WIDTH, height));
        svg.append(axis.ticks(height));
        for (int c = 0; c < busiest.size(); c++) {
            Channel channel = busiest.get(c);
            int base = TOP + ROW * (c + 1) - 4;
            svg.append(String.format(
                    Locale.ROOT,
                    "<g><title>%s, %d Mbit/s, busy %.0f %% of the time</title><text x=\"0\" y=\"%d\">%s</text>",
                    PlanPage.text(channel.name()),
                    channel.capacity(),
                    100 * channel.busyMs() / Math.max(1, endMs),
                    base - 8,
                    PlanPage.text(channel.name())));
            svg.append("<path class=\"load\" d=\"M").append(point(axis, 0, base));
            long load = 0;
            for (Map.Entry<Long, Long> change : channel.changes().entrySet()) {
                svg.append(" L").append(point(axis, change.getKey(), base - up(load, channel)));
                load += change.getValue();
                svg.append(" L").append(point(axis, change.getKey(), base - up(load, channel)));
            }
            svg.append(" L").append(point(axis, endMs, base)).append(" Z\"/></g>\n");
        }
        return svg.append("</svg>\n").toString();
    }

    private static double up(long load, Channel channel) {
        return (ROW - 8.0) * load / channel.capacity();
    }

    private static String point(Axis axis, long atMs, double y) {
        return String.format(Locale.ROOT, "%.1f,%.1f", axis.x(atMs), y);
    }
}
