package io.godwit.cli;

import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.units.Units;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressState;

/**
 * Progress of an evacuation on stderr: on a terminal a bar per VM, elsewhere a line whenever a VM's state changes. A bar
 * never runs backwards: a VM that dirties memory as fast as it is sent stands still instead, which is the truth.
 */
final class ProgressDisplay implements AutoCloseable {
    /** Bar length; the last part is kept for the switchover, which bytes do not tell. */
    private static final int FULL = 100;

    private static final int PRECOPIED = 95;

    /** Characters between the brackets: the same for every VM and state, so that bars stand still side by side. */
    private static final int WIDTH = 30;

    private final Surroundings around;
    private final ApiClient client;
    private final boolean shown;
    private final Map<String, ProgressBar> bars = new LinkedHashMap<>();
    private final Map<String, String> said = new HashMap<>();
    private volatile int nameWidth; // read by the library's own thread, too

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
        nameWidth = view.vms().stream().mapToInt(row -> row.vm().length()).max().orElse(0);
        for (EvacuationView.VmRow row : view.vms()) {
            if (around.interactive()) {
                bar(row);
            } else {
                line(row);
            }
        }
    }

    private void line(EvacuationView.VmRow row) {
        String line = row.vm() + " " + standing(row);
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
                        .setRenderer((progress, widthMax) -> rendered(progress, nameWidth, widthMax))
                        .continuousUpdate()
                        .build());
        long now = bar.getCurrent();
        String message = standing(row);
        if (row.state().equals("MOVED")) {
            now = FULL;
        } else if (row.state().equals("MIGRATING")) {
            MigrationView view = client.view(
                    client.get(ApiClient.path("migrations", row.migrations().getLast())), MigrationView.class);
            now = Math.max(now, percent(view));
            message = moving(row, view);
        }
        bar.stepTo(now);
        bar.setExtraMessage(message);
        bar.refresh();
    }

    private static String rendered(ProgressState progress, int nameWidth, int widthMax) {
        return rendered(
                progress.getTaskName(),
                nameWidth,
                (int) progress.getCurrent(),
                String.valueOf(progress.getExtraMessage()),
                widthMax);
    }

    /** One line, as wide as the terminal: it has to cover the one before, and a longer one loses its end. */
    static String rendered(String name, int nameWidth, int percent, String message, int widthMax) {
        int filled = percent * WIDTH / FULL;
        String bar = "=".repeat(filled) + (filled < WIDTH && filled > 0 ? ">" : "");
        String padded = name + " ".repeat(Math.max(0, nameWidth - name.length()));
        String line = String.format(Locale.ROOT, "%s  [%-" + WIDTH + "s] %3d%%  %s", padded, bar, percent, message);
        int width = Math.max(0, widthMax);
        return line.length() <= width ? line + " ".repeat(width - line.length()) : line.substring(0, width);
    }

    /** State, destination, and why it waits or failed. */
    private static String standing(EvacuationView.VmRow row) {
        return row.state()
                + row.to().map(to -> " -> " + to).orElse("")
                + row.reason().map(why -> ": " + why).orElse("");
    }

    private static String moving(EvacuationView.VmRow row, MigrationView view) {
        String left = copies(view) ? ", " + Units.size(view.remainingBytes()) + " left" : "";
        String again =
                row.migrations().size() > 1 ? ", attempt " + row.migrations().size() : "";
        return view.phase() + " -> " + view.to() + left + again
                + view.reason().map(why -> ": " + why).orElse("");
    }

    /** Share of the way: RAM that needs not be sent again, up to the part kept for the switchover. */
    static int percent(MigrationView view) {
        return switch (view.phase()) {
            // nothing counts until a destination has it
            case PREPARING, ROLLING_BACK, FAILED, CANCELLED -> 0;
            case PRE_COPY -> copies(view) ? (int) (PRECOPIED * (1 - share(view))) : 0;
            case HANDOFF, SWITCHOVER, COMMITTING, RESUMING, RELEASING -> PRECOPIED;
            case COMPLETED -> FULL;
        };
    }

    private static double share(MigrationView view) {
        return Math.min(1.0, (double) view.remainingBytes() / view.stats().ramBytes());
    }

    /** Whether the source has told of its progress yet. */
    private static boolean copies(MigrationView view) {
        return view.phase() == MigrationPhase.PRE_COPY
                && view.stats().ramBytes() > 0
                && view.stats().transferredBytes() > 0;
    }

    @Override
    public void close() {
        bars.values().forEach(ProgressBar::close);
    }
}
