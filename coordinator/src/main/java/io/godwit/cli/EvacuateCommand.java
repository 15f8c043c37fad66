package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.EvacuationBody;
import io.godwit.api.PlanView;
import io.godwit.proto.evacuation.EvacuationView;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code evacuate}. */
@Command(name = "evacuate", description = "Moves every VM off hosts and waits until they are empty.")
public final class EvacuateCommand implements Callable<Integer> {
    private final Shell shell;

    @Parameters(paramLabel = "HOST", arity = "1..*", description = "Hosts to empty.")
    List<String> hosts = new ArrayList<>();

    @Option(names = "--watch", description = "Show progress, VM by VM, on stderr.")
    boolean watch;

    @Option(names = "--dry-run", description = "Show what would be done; change nothing.")
    boolean dryRun;

    @Option(
            names = "--no-make-room",
            description = "Move no VM of other hosts, even where one of these fits nowhere otherwise.")
    boolean noMakeRoom;

    @Mixin
    MoveOptions options = new MoveOptions();

    EvacuateCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        ApiClient client = shell.client();
        JsonNode answer = client.post(
                ApiClient.path("evacuations"),
                new EvacuationBody(hosts, dryRun, noMakeRoom ? Boolean.FALSE : null, options.body()));
        return dryRun ? plan(client, answer) : drain(client, answer);
    }

    private int plan(ApiClient client, JsonNode answer) {
        PlanView plan = client.view(answer, PlanView.class);
        shell.print(answer, () -> {
            Table table = new Table("VM", "FROM", "TO", ">START", ">DURATION", ">BLACKOUT", "REASON");
            plan.placements()
                    .forEach(p -> table.row(
                            p.vm(),
                            p.from(),
                            p.to().orElse("-"),
                            p.timing().map(t -> seconds(t.startMs())).orElse("-"),
                            p.timing().map(t -> seconds(t.durationMs())).orElse("-"),
                            p.timing().map(t -> t.blackoutMs() + " ms").orElse("-"),
                            EvacuationCommands.reason(p.makesRoomFor(), p.reason())));
            return table.render();
        });
        if (!plan.complete()) {
            throw CliFailure.failed("nowhere to go for "
                    + plan.placements().stream()
                            .filter(p -> p.to().isEmpty())
                            .map(p -> p.vm() + ": " + p.reason().orElse("no reason given"))
                            .collect(Collectors.joining("; ")));
        }
        return ExitCode.OK;
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f s", millis / 1000.0);
    }

    private int drain(ApiClient client, JsonNode answer) {
        EvacuationView started = client.view(answer, EvacuationView.class);
        String path = ApiClient.path("evacuations", started.id());
        JsonNode last;
        try (ProgressDisplay display = new ProgressDisplay(shell.surroundings(), client, watch)) {
            last = new Wait(shell)
                    .until(
                            "evacuation " + started.id(),
                            () -> client.get(path),
                            node -> ended(client.view(node, EvacuationView.class)),
                            node -> display.show(client.view(node, EvacuationView.class)));
        }
        EvacuationView view = client.view(last, EvacuationView.class);
        shell.print(last, () -> EvacuationCommands.describe(view));
        if (!view.state().equals("COMPLETED")) {
            throw CliFailure.failed("not every VM has left " + String.join(", ", hosts) + ": " + failures(view));
        }
        return ExitCode.OK;
    }

    private static boolean ended(EvacuationView view) {
        return view.state().equals("COMPLETED") || view.state().equals("FAILED");
    }

    private static String failures(EvacuationView view) {
        String named = view.vms().stream()
                .filter(row -> !row.state().equals("MOVED") && !row.state().equals("STAYS"))
                .map(row -> row.vm() + " (" + row.state() + "): " + row.reason().orElse("no reason given"))
                .collect(Collectors.joining("; "));
        return named.isEmpty() ? "state " + view.state() : named;
    }
}
