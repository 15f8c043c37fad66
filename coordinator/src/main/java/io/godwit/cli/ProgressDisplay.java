package io.godwit.cli;

import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.units.Units;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressState;

/**
 * Progress of a migration or an evacuation on stderr: on a terminal a bar per VM, elsewhere a line whenever a VM's state
 * changes; and a line for each convergence step, above the bars. A bar never runs backwards: a VM that dirties memory as fast
 * as it is sent stands still instead, which is the truth.
 */
final class ProgressDisplay implements AutoCloseable {
    /** Bar length; the last part is kept for the switchover, which bytes do not tell. */
    private static final int FULL = 100;

    private static final int PRECOPIED = 95;

    /** Characters between the brackets: the same for every VM and state, so that bars stand still side by side. */
    private static final int WIDTH = 30;

    /** Columns that every terminal has. */
    private static final int COLUMNS = 80;

    private final Surroundings around;
    private final ApiClient client;
    private final boolean shown;
    private final Map<String, ProgressBar> bars = new LinkedHashMap<>();
    private final Map<String, String> said = new HashMap<>();
    private final StepNews steps = new StepNews();
    private final Set<String> over = new HashSet<>();
    private volatile int nameWidth; // read by the library's own thread, too
    private volatile int columns = COLUMNS; // written by it

    /** A display that shows nothing unless {@code shown}. */
    ProgressDisplay(Surroundings around, ApiClient client, boolean shown) {
        this.around = around;
        this.client = client;
        this.shown = shown;
    }

    /** Shows how an evacuation stands now. */
    void show(EvacuationView view) {
        if (!shown) {
            return;
        }
        nameWidth = view.vms().stream().mapToInt(row -> row.vm().length()).max().orElse(0);
        List<String> news = new ArrayList<>();
        for (EvacuationView.VmRow row : view.vms()) {
            Optional<MigrationView> moving = follow(row, news);
            if (around.interactive()) {
                long percent = row.state().equals("MOVED")
                        ? FULL
                        : moving.map(ProgressDisplay::percent).orElse(0);
                bar(
                        row.vm(),
                        percent,
                        moving.map(now -> moving(now, row.migrations().size())).orElseGet(() -> standing(row)));
            } else {
                line(row.vm(), standing(row));
            }
        }
        above(news);
    }

    /** Shows how a migration stands now. */
    void show(MigrationView view) {
        if (!shown) {
            return;
        }
        nameWidth = view.vm().length();
        if (around.interactive()) {
            bar(view.vm(), percent(view), moving(view, 1));
        } else {
            line(
                    view.vm(),
                    view.phase() + " -> " + view.to()
                            + view.reason().map(why -> ": " + why).orElse(""));
        }
        above(steps.of(view));
    }

    /** The migration that moves it now, if one does; what all of its migrations have done since the last look goes to news. */
    private Optional<MigrationView> follow(EvacuationView.VmRow row, List<String> news) {
        Optional<MigrationView> moving = Optional.empty();
        for (String id : row.migrations()) {
            if (over.contains(id)) {
                continue;
            }
            Optional<MigrationView> view = migration(id);
            view.ifPresent(known -> news.addAll(steps.of(known)));
            boolean latest =
                    id.equals(row.migrations().getLast()) && row.state().equals("MIGRATING");
            if (latest) {
                moving = view;
            } else {
                // its last steps have been told now
                over.add(id);
            }
        }
        return moving;
    }

    /** Empty for one that is about to begin. */
    private Optional<MigrationView> migration(String id) {
        try {
            return Optional.of(client.view(client.get(ApiClient.path("migrations", id)), MigrationView.class));
        } catch (CliFailure e) {
            if (e.exitCode() == ExitCode.USAGE) {
                return Optional.empty();
            }
            throw e;
        }
    }

    private void line(String vm, String standing) {
        String line = vm + " " + standing;
        if (!line.equals(said.put(vm, line))) {
            around.err().println(line);
        }
    }

    private void bar(String vm, long percent, String message) {
        ProgressBar bar = bars.computeIfAbsent(
                vm,
                name -> new ProgressBarBuilder()
                        .setTaskName(name)
                        .setInitialMax(FULL)
                        .setRenderer((progress, widthMax) -> {
                            columns = widthMax;
                            return rendered(progress, nameWidth, widthMax);
                        })
                        .continuousUpdate()
                        .build());
        bar.stepTo(Math.max(bar.getCurrent(), percent));
        bar.setExtraMessage(message);
        bar.refresh();
    }

    /** Every bar has been drawn by now, so their number tells how far up is above. */
    private void above(List<String> lines) {
        if (bars.isEmpty()) {
            lines.forEach(line -> around.err().println(line));
        } else {
            around.err().print(AboveBars.text(bars.size(), columns, lines));
        }
        around.err().flush();
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
        String why = EvacuationCommands.reason(row.makesRoomFor(), row.reason());
        return row.state() + row.to().map(to -> " -> " + to).orElse("") + (why.equals("-") ? "" : ": " + why);
    }

    private static String moving(MigrationView view, int attempts) {
        String again = attempts > 1 ? ", attempt " + attempts : "";
        return view.phase() + " -> " + view.to() + left(view) + again
                + view.reason().map(why -> ": " + why).orElse("");
    }

    /** What is left and, once all of it has been sent once, how the predicted standstill compares to its limit. */
    private static String left(MigrationView view) {
        if (!copies(view)) {
            return "";
        }
        String outlook = view.progress()
                .filter(now -> now.passes() > 0)
                .map(now -> ", dirties "
                        + Units.size(now.cpuDirtyBytesPerSecond() + now.dmaDirtyBytesPerSecond()) + "/s, standstill "
                        + MigrationText.standstill(now.predictedDowntimeMicros()) + " of "
                        + view.limits().downtimeLimitMs() + " ms")
                .orElse("");
        String throttled = view.limits().throttlePercent() > 0
                ? ", held back " + view.limits().throttlePercent() + "%"
                : "";
        return ", " + Units.size(view.remainingBytes()) + " left" + outlook + throttled;
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
