package io.godwit.cli;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.check.Violation;
import io.godwit.plan.load.BtrPlaceFile;
import io.godwit.plan.load.FleetFile;
import io.godwit.plan.load.FleetSchema;
import io.godwit.plan.load.GanetiFile;
import io.godwit.plan.load.InputProblem;
import io.godwit.plan.load.OpenbFolder;
import io.godwit.plan.load.PlanJson;
import io.godwit.plan.load.TimingsFile;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.Calibration;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.TransferModel;
import io.godwit.plan.page.PlanPage;
import io.godwit.plan.schedule.Scheduler;
import io.godwit.plan.simulate.Comparison;
import io.godwit.plan.simulate.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code plan}: needs no coordinator. */
@Command(
        name = "plan",
        description = "Plans a drain from a file, offline: where every VM goes, when, and with how much bandwidth.",
        footer = {
            "%nExample: godwit plan fleet.yaml --drain host-7 --output json > plan.json",
            "         godwit plan fleet.yaml --drain host-7 --check plan.json",
            "         godwit plan --import btrplace drain.json.gz"
        })
public final class PlanCommand implements Callable<Integer> {
    private final Shell shell;

    @Parameters(
            paramLabel = "FILE",
            arity = "0..1",
            description = "The fleet to plan for: YAML or JSON, see --schema; plain or gzip.")
    @Nullable
    Path file;

    @Option(
            names = "--calibrate",
            paramLabel = "CSV",
            description = "Plan nothing: fit the duration model to measured migrations (usedMb, hotMb, hotSeconds,"
                    + " coldMbPerSecond, mbit, seconds) and print what to write into FILE.")
    @Nullable
    Path timings;

    @Option(names = "--schema", description = "Print the JSON Schema of FILE, and plan nothing.")
    boolean schema;

    @Option(
            names = "--import",
            paramLabel = "FORMAT",
            description = "FILE is something else: btrplace (JSON instance), ganeti (text, as for hbal) or openb"
                    + " (folder with nodes.csv and pods.csv of Alibaba's GPU trace).")
    @Nullable
    String format;

    @Option(
            names = "--drain",
            paramLabel = "HOST",
            split = ",",
            description = "Hosts to empty, besides those that the file names.")
    List<String> drained = new ArrayList<>();

    @Option(
            names = "--check",
            paramLabel = "PLAN",
            description = "Plan nothing: replay this plan (JSON) and say what it breaks.")
    @Nullable
    Path check;

    @Option(
            names = "--compare",
            description = "Carry the plan out on a virtual clock, ours and as peers would start its migrations.")
    boolean compare;

    @Option(
            names = "--noise",
            paramLabel = "PERCENT",
            description = "With --compare: by how much durations vary (default: 10).")
    int noise = 10;

    @Option(
            names = "--html",
            paramLabel = "PAGE",
            description = "Write the plan as a page of HTML, too: a bar for each migration, and the load of the links.")
    @Nullable
    Path page;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "The same input and seed give the same plan (default: 1).")
    long seed = Scheduler.Effort.STANDARD.seed();

    PlanCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        if (schema) {
            shell.surroundings().out().print(FleetSchema.text());
            return ExitCode.OK;
        }
        if (timings != null) {
            return calibrate(timings);
        }
        PlanCase plan;
        BatchPlan result;
        long began;
        try {
            if (noise < 0 || noise > 100) {
                throw CliFailure.usage("--noise: " + noise + "; expected 0 to 100");
            }
            plan = drain(read());
            began = shell.surroundings().clock().nanoTime();
            result = check == null
                    ? BatchPlanner.plan(plan, new Scheduler.Effort(seed, Scheduler.Effort.STANDARD.effort()))
                    : PlanJson.read(check);
        } catch (InputProblem | IllegalArgumentException e) {
            throw CliFailure.usage(String.valueOf(e.getMessage()));
        }
        long millis = check == null ? (shell.surroundings().clock().nanoTime() - began) / 1_000_000 : 0;
        List<Violation> violations = PlanChecker.check(plan, result);
        ObjectNode view = PlanJson.write(plan, result, millis, violations);
        List<Outcome> outcomes =
                compare && violations.isEmpty() ? Comparison.of(plan, result, noise / 100.0, seed) : List.of();
        if (!outcomes.isEmpty()) {
            ArrayNode policies = view.putArray("policies");
            outcomes.forEach(each -> policies.addObject()
                    .put("policy", each.policy())
                    .put("makespanSeconds", each.makespanMs() / 1000.0)
                    .put("meanEndSeconds", Math.round(each.meanEndMs()) / 1000.0)
                    .put("peak", each.peak())
                    .put("unfinished", each.unfinished()));
        }
        shell.print(view, () -> table(result, millis, violations) + policies(outcomes));
        if (page != null) {
            write(page, PlanPage.html(plan, result, millis, violations));
        }
        if (!violations.isEmpty()) {
            throw CliFailure.failed(
                    "the plan breaks " + violations.size() + " constraints, first " + violations.getFirst());
        }
        if (!result.unmoved().isEmpty()) {
            BatchPlan.Unmoved first = result.unmoved().getFirst();
            throw CliFailure.failed(
                    result.unmoved().size() + " VMs cannot move, first " + first.vm() + ": " + first.reason());
        }
        return ExitCode.OK;
    }

    private static String policies(List<Outcome> outcomes) {
        if (outcomes.isEmpty()) {
            return "";
        }
        Table table = new Table("POLICY", ">MAKESPAN", ">MEAN END", ">AT ONCE", ">UNFINISHED");
        outcomes.forEach(each -> table.row(
                each.policy(),
                seconds(each.makespanMs()),
                seconds(Math.round(each.meanEndMs())),
                String.valueOf(each.peak()),
                String.valueOf(each.unfinished())));
        return "\n" + table.render();
    }

    private static void write(Path page, String html) {
        try {
            Files.writeString(page, html);
        } catch (IOException e) {
            throw CliFailure.failed("--html: cannot write " + page + ": " + e.getMessage());
        }
    }

    private int calibrate(Path from) {
        List<Calibration.Measured> measured;
        try {
            measured = TimingsFile.read(from);
        } catch (InputProblem e) {
            throw CliFailure.usage(String.valueOf(e.getMessage()));
        }
        TransferModel model = Calibration.fit(measured);
        double error = Calibration.error(model, measured);
        ObjectNode view = JsonMapper.builder().build().createObjectNode();
        view.put("wireBitsPerByte", Math.round(model.wireBitsPerByte() * 100) / 100.0);
        view.put("migrations", measured.size());
        view.put("meanAbsoluteError", Math.round(error * 10_000) / 10_000.0);
        shell.print(
                view,
                () -> String.format(
                        Locale.ROOT,
                        "wireBitsPerByte: %.2f # %d migrations, durations are %.1f %% off in the mean%n",
                        model.wireBitsPerByte(),
                        measured.size(),
                        100 * error));
        return ExitCode.OK;
    }

    private PlanCase read() {
        if (file == null) {
            throw CliFailure.usage("FILE is missing; expected the fleet to plan for, or --schema");
        }
        return switch (format) {
            case null -> FleetFile.read(file);
            case "btrplace" -> BtrPlaceFile.read(file);
            case "ganeti" -> GanetiFile.read(file);
            case "openb" -> OpenbFolder.read(file);
            default -> throw CliFailure.usage("--import: '" + format + "'; expected btrplace, ganeti or openb");
        };
    }

    private PlanCase drain(PlanCase plan) {
        if (drained.isEmpty()) {
            return plan;
        }
        Set<String> all = new HashSet<>(plan.drained());
        all.addAll(drained);
        return plan.draining(all);
    }

    private static String table(BatchPlan plan, long millis, List<Violation> violations) {
        Table table = new Table("VM", "FROM", "TO", ">START", ">END", ">MBIT/S");
        plan.moves()
                .forEach(move -> table.row(
                        move.vm(),
                        move.from(),
                        move.to(),
                        seconds(move.startMs()),
                        seconds(move.endMs()),
                        String.valueOf(move.shares().getFirst().mbitPerSecond())));
        StringBuilder text = new StringBuilder(table.render());
        plan.unmoved()
                .forEach(each -> text.append(each.vm())
                        .append(" cannot move: ")
                        .append(each.reason())
                        .append("; possible with ")
                        .append(each.remedy())
                        .append('\n'));
        return text.append(String.format(
                        Locale.ROOT,
                        "%d moves in %s, no plan is shorter than %s; mean end %s; planned in %d ms; %s%n",
                        plan.moves().size(),
                        seconds(plan.makespanMs()),
                        seconds(plan.lowerBoundMs()),
                        seconds(Math.round(plan.meanEndMs())),
                        millis,
                        violations.isEmpty() ? "checked" : violations.size() + " constraints broken"))
                .toString();
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }
}
