package io.godwit.plan.page;

import java.util.Locale;

/**
 * Time from left to right.
 *
 * @param endMs its right end, ms
 */
record Axis(long endMs) {
    static final int LEFT = 170;
    static final int WIDTH = 1000;
    private static final int TICKS = 10;

    /** Where a moment is. */
    double x(long atMs) {
        return LEFT + (double) (WIDTH - LEFT) * atMs / Math.max(1, endMs);
    }

    /** Lines and times over a chart of a height. */
    String ticks(int height) {
        StringBuilder svg = new StringBuilder();
        for (int t = 0; t <= TICKS; t++) {
            long at = endMs * t / TICKS;
            svg.append(String.format(
                    Locale.ROOT,
                    "<line x1=\"%.1f\" y1=\"14\" x2=\"%.1f\" y2=\"%d\"/><text x=\"%.1f\" y=\"10\" text-anchor=\"middle\">%s</text>",
                    x(at),
                    x(at),
                    height,
                    Math.min(x(at), WIDTH - 18),
                    PlanPage.seconds(at)));
        }
        return svg.toString();
    }
}
