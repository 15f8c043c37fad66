package io.godwit.cli;

import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationView;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Progress of an evacuation on stderr: on a terminal a bar per VM, elsewhere a line whenever a VM's state changes. A bar
 * never runs backwards: a VM that dirties memory as fast as it is sent stands still instead, which is the truth.
 */
final class ProgressDisplay implements AutoCloseable {
    /** Bar length; the last part is kept for the switchover, which bytes do not tell. */
    private static final int FULL = 100;

    private static final int PRECOPIED = 95;

    private final Surroundings around;
    private final ApiClient client;
    private final boolean shown;
    private final Map<String, ProgressBar> bars = new LinkedHashMap<>();
    private final Map<String, String> said = new HashMap<>();

    /** A display that shows nothing unless {@code shown}. */
    ProgressDisplay(Surroundings around, ApiClient client, boolean shown) {
        this.around = around;
        this.client = client;
        this.shown = shown;
    }

    /** Shows how it stands now. */
    void show(EvacuationView view) {
        if (!shown) {
            return;
        }
        for (EvacuationView.VmRow row : view.vms()) {
            if (around.interactive()) {
                bar(row);
            } else {
                line(row);
            }
        }
    }

    private void line(EvacuationView.VmRow row) {
        String line =
                row.vm() + " " + row.state() + row.to().map(to -> " -> " + to).orElse("")
                        + row.reason().map(why -> ": " + why).orElse("");
        if (!line.equals(said.put(row.vm(), line))) {
            around.err().println(line);
        }
    }

    private void bar(EvacuationView.VmRow row) {
        ProgressBar bar = bars.computeIfAbsent(
                row.vm(),
                vm -> new ProgressBarBuilder()
                        .setTaskName(vm)
                        .setInitialMax(FULL)
                        .setStyle(ProgressBarStyle.ASCII)
                        .continuousUpdate()
                        .build());
        long now = bar.getCurrent();
        String message = row.state();
        switch (row.state()) {
            case "MOVED" -> now = FULL;
            case "MIGRATING" -> {
                MigrationView view = client.view(
                        client.get(ApiClient.path("migrations", row.migrations().getLast())), MigrationView.class);
                now = Math.max(now, percent(view));
                message = view.phase() + ", " + Units.size(view.remainingBytes()) + " left";
            }
            default -> message += row.reason().map(why -> ": " + why).orElse("");
        }
        bar.stepTo(now);
        bar.setExtraMessage(message);
        bar.refresh();
    }

    /** Share of the way: RAM that needs not be sent again, up to the part kept for the switchover. */
    static int percent(MigrationView view) {
        long ram = view.stats().ramBytes();
        if (ram <= 0 || view.stats().transferredBytes() == 0) {
            return 0;
        }
        double done = 1 - Math.min(1.0, (double) view.remainingBytes() / ram);
        return (int) (PRECOPIED * done);
    }

    @Override
    public void close() {
        bars.values().forEach(ProgressBar::close);
    }
}
