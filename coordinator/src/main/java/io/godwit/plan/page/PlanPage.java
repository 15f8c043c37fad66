package io.godwit.plan.page;

import io.godwit.plan.check.Violation;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The whole page. */
public final class PlanPage {
    private static final String STYLE = """
            :root{color-scheme:light dark}
            body{font:14px/1.4 system-ui,sans-serif;margin:2em auto;max-width:1200px;padding:0 1em}
            table{border-collapse:collapse}td,th{padding:.1em .8em .1em 0;text-align:left;vertical-align:top}
            td.n,th.n{text-align:right}svg{display:block;width:100%;height:auto}
            text{font:11px system-ui,sans-serif;fill:currentColor}line{stroke:currentColor;stroke-opacity:.2}
            .bar{fill:#3b7dd8}.slow{fill:#8db8ee}.load{fill:#d8793b;fill-opacity:.8}.bad{color:#c22}
            """;

    private final PlanCase plan;
    private final BatchPlan result;
    private final StringBuilder html = new StringBuilder();

    private PlanPage(PlanCase plan, BatchPlan result) {
        this.plan = plan;
        this.result = result;
    }

    /**
     * The page of a plan.
     *
     * @param planningMillis how long planning took, ms
     * @param violations what the checker found
     */
    public static String html(PlanCase plan, BatchPlan result, long planningMillis, List<Violation> violations) {
        PlanPage page = new PlanPage(plan, result);
        page.html
                .append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Plan of ")
                .append(result.moves().size())
                .append(" migrations</title><style>")
                .append(STYLE)
                .append("</style></head><body>\n");
        page.summary(planningMillis, violations);
        page.unmoved(violations);
        page.html.append("<h2>Migrations</h2>\n").append(new Gantt(result).svg());
        page.html
                .append("<h2>Busiest links</h2>\n")
                .append(LinkLoad.of(plan, result).svg());
        page.moves();
        return page.html.append("</body></html>\n").toString();
    }

    private void summary(long planningMillis, List<Violation> violations) {
        html.append("<h1>Plan of ").append(result.moves().size()).append(" migrations</h1>\n<table>");
        fact("All is done after", seconds(result.makespanMs()));
        fact("No plan is shorter than", seconds(result.lowerBoundMs()));
        fact("VMs arrive in the mean after", seconds(Math.round(result.meanEndMs())));
        fact(
                "Hosts emptied",
                plan.drained().isEmpty()
                        ? "none"
                        : text(String.join(
                                ", ", plan.drained().stream().sorted().toList())));
        fact("Planned in", planningMillis + " ms");
        fact("Checked", violations.isEmpty() ? "breaks nothing" : "breaks " + violations.size() + " constraints");
        html.append("</table>\n");
    }

    private void fact(String what, String value) {
        html.append("<tr><th>").append(what).append("</th><td>").append(value).append("</td></tr>");
    }

    private void unmoved(List<Violation> violations) {
        if (!violations.isEmpty()) {
            html.append("<h2 class=\"bad\">What it breaks</h2>\n<ul>");
            violations.forEach(
                    each -> html.append("<li>").append(text(each.toString())).append("</li>"));
            html.append("</ul>\n");
        }
        if (result.unmoved().isEmpty()) {
            return;
        }
        html.append(
                "<h2 class=\"bad\">VMs that cannot move</h2>\n<table><tr><th>VM</th><th>Why</th><th>Possible with</th></tr>");
        for (Unmoved each : result.unmoved()) {
            html.append("<tr><td>")
                    .append(text(each.vm()))
                    .append("</td><td>")
                    .append(text(each.reason()))
                    .append("</td><td>")
                    .append(text(each.remedy()))
                    .append("</td></tr>");
        }
        html.append("</table>\n");
    }

    private void moves() {
        Map<String, PlanVm> vms = plan.vmsByName();
        html.append("<h2>All migrations</h2>\n<table><tr><th>VM</th><th>From</th><th>To</th><th class=\"n\">Start</th>")
                .append("<th class=\"n\">End</th><th class=\"n\">Mbit/s</th><th class=\"n\">Standstill</th></tr>\n");
        result.moves().stream()
                .sorted(Comparator.comparingLong(ScheduledMove::startMs))
                .forEach(move -> {
                    PlanVm vm = vms.get(move.vm());
                    long mbit = move.shares().getLast().mbitPerSecond();
                    html.append("<tr><td>")
                            .append(text(move.vm()))
                            .append("</td><td>")
                            .append(text(move.from()))
                            .append("</td><td>")
                            .append(text(move.to()))
                            .append("</td><td class=\"n\">")
                            .append(seconds(move.startMs()))
                            .append("</td><td class=\"n\">")
                            .append(seconds(move.endMs()))
                            .append("</td><td class=\"n\">")
                            .append(mbit)
                            .append("</td><td class=\"n\">")
                            .append(vm == null ? "" : plan.transfer().blackoutMs(vm.ram(), mbit) + " ms")
                            .append("</td></tr>\n");
                });
        html.append("</table>\n");
    }

    /** A time in ms, for people. */
    static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }

    /** Text as it may stand in a page: names come from a file. */
    static String text(String raw) {
        return raw.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
