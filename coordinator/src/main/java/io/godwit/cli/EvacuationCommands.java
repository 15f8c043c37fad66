package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.units.Units;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code evacuation list|show}. */
public final class EvacuationCommands {
    private EvacuationCommands() {}

    /** {@code evacuation}. */
    @Command(
            name = "evacuation",
            description = "Shows evacuations.",
            subcommands = {ListEvacuations.class, ShowEvacuation.class})
    public static final class EvacuationGroup extends Group {}

    /** {@code evacuation list}. */
    @Command(name = "list", description = "Lists every evacuation, ended ones included.")
    public static final class ListEvacuations implements Callable<Integer> {
        private final Shell shell;

        ListEvacuations(Shell shell) {
            this.shell = shell;
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("evacuations"));
            shell.print(answer, () -> {
                Table table = new Table("EVACUATION", "HOSTS", "STATE", ">MOVED", ">VMS", ">TIME");
                answer.path("evacuations").forEach(node -> {
                    EvacuationView view = client.view(node, EvacuationView.class);
                    table.row(
                            view.id(),
                            String.join(",", view.hosts()),
                            view.state(),
                            String.valueOf(moved(view)),
                            String.valueOf(vms(view)),
                            Units.duration(view.durationMs()));
                });
                return table.render();
            });
            return ExitCode.OK;
        }
    }

    /** {@code evacuation show}. */
    @Command(name = "show", description = "Shows one evacuation, VM by VM.")
    public static final class ShowEvacuation implements Callable<Integer> {
        private final Shell shell;

        @Parameters(paramLabel = "EVACUATION", description = "Id of the evacuation.")
        String id = "";

        ShowEvacuation(Shell shell) {
            this.shell = shell;
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("evacuations", id));
            shell.print(answer, () -> describe(client.view(answer, EvacuationView.class)));
            return ExitCode.OK;
        }
    }

    /** An evacuation for people: one row per VM, then how it stands as a whole. */
    static String describe(EvacuationView view) {
        Table table = new Table("VM", "FROM", "TO", "STATE", "MIGRATION", "REASON");
        for (EvacuationView.VmRow row : view.vms()) {
            table.row(
                    row.vm(),
                    row.from(),
                    row.to().orElse("-"),
                    row.state(),
                    row.migrations().isEmpty() ? "-" : row.migrations().getLast(),
                    reason(row.makesRoomFor(), row.reason()));
        }
        long extra =
                view.vms().stream().filter(row -> row.extra() && moved(row)).count();
        return table.render() + "evacuation " + view.id() + " of " + String.join(", ", view.hosts()) + " is "
                + view.state() + ": " + moved(view) + " of " + vms(view) + " VMs moved, "
                + (extra == 0 ? "" : extra + " of other hosts to make room, ")
                + Units.duration(view.durationMs()) + "\n";
    }

    /** Why a VM that need not leave its host does, and whatever else is to be said of it; a dash for nothing. */
    static String reason(List<String> makesRoomFor, Optional<String> reason) {
        String room = makesRoomFor.isEmpty() ? "" : "makes room for " + String.join(", ", makesRoomFor);
        return room.isEmpty()
                ? reason.orElse("-")
                : reason.map(why -> room + "; " + why).orElse(room);
    }

    /** How many VMs of the hosts have moved. */
    static long moved(EvacuationView view) {
        return view.vms().stream().filter(row -> !row.extra() && moved(row)).count();
    }

    /** How many VMs of the hosts there are. */
    static long vms(EvacuationView view) {
        return view.vms().stream().filter(row -> !row.extra()).count();
    }

    private static boolean moved(EvacuationView.VmRow row) {
        return row.state().equals("MOVED");
    }
}
