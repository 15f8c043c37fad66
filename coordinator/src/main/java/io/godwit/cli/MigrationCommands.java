package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.StateTriple;
import io.godwit.units.Units;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code migration list|show|cancel}. */
public final class MigrationCommands {
    private MigrationCommands() {}

    /** {@code migration}. */
    @Command(
            name = "migration",
            description = "Shows migrations and rolls them back.",
            subcommands = {ListMigrations.class, ShowMigration.class, CancelMigration.class})
    public static final class MigrationGroup extends Group {}

    /** {@code migration list}. */
    @Command(name = "list", description = "Lists every migration, ended ones included.")
    public static final class ListMigrations implements Callable<Integer> {
        private final Shell shell;

        ListMigrations(Shell shell) {
            this.shell = shell;
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("migrations"));
            shell.print(answer, () -> {
                Table table =
                        new Table("MIGRATION", "VM", "FROM", "TO", "PHASE", ">SENT", ">LEFT", ">DOWNTIME", "REASON");
                answer.path("migrations").forEach(node -> {
                    MigrationView view = client.view(node, MigrationView.class);
                    table.row(
                            view.id(),
                            view.vm(),
                            view.from(),
                            view.to(),
                            view.phase().name(),
                            Units.size(view.stats().transferredBytes()),
                            Units.size(view.remainingBytes()),
                            downtime(view),
                            view.reason().orElse("-"));
                });
                return table.render();
            });
            return ExitCode.OK;
        }
    }

    /** {@code migration show}. */
    @Command(name = "show", description = "Shows one migration with its states.")
    public static final class ShowMigration extends OneMigration {
        ShowMigration(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.get(ApiClient.path("migrations", id));
            shell.print(answer, () -> describe(client.view(answer, MigrationView.class)));
            return ExitCode.OK;
        }
    }

    /** {@code migration cancel}. */
    @Command(name = "cancel", description = "Rolls a migration back: the VM goes on where it is.")
    public static final class CancelMigration extends OneMigration {
        CancelMigration(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            ApiClient client = shell.client();
            JsonNode answer = client.post(ApiClient.path("migrations", id, "cancel"), null);
            shell.print(
                    answer,
                    () -> "migration " + id + " is "
                            + client.view(answer, MigrationView.class).phase() + "\n");
            return ExitCode.OK;
        }
    }

    /** A command about one migration. */
    abstract static class OneMigration implements Callable<Integer> {
        final Shell shell;

        @Parameters(paramLabel = "MIGRATION", description = "Id of the migration.")
        String id = "";

        OneMigration(Shell shell) {
            this.shell = shell;
        }
    }

    /** A migration for people. */
    static String describe(MigrationView view) {
        Table facts = new Table("MIGRATION", view.id());
        facts.row("vm", view.vm())
                .row("from", view.from())
                .row("to", view.to())
                .row("driver", view.driver())
                .row(
                        "phase",
                        view.phase() + view.reason().map(why -> ": " + why).orElse(""))
                .row("epoch", String.valueOf(view.epoch()))
                .row(
                        "sent",
                        Units.size(view.stats().transferredBytes()) + " for "
                                + Units.size(view.stats().ramBytes()) + " of RAM, in "
                                + view.stats().iterations() + " iterations")
                .row("dirtied meanwhile", view.stats().dirtiedPages() + " pages")
                .row("left", Units.size(view.remainingBytes()))
                .row("predicted downtime", Units.millisOf(view.stats().predictedDowntimeMicros()))
                .row("downtime", downtime(view) + parts(view.downtime()))
                .row("verified", view.verified() ? "yes: equal digests" : "no")
                .row("states", triples(view));
        return facts.render();
    }

    /** Measured standstill, or a dash before it. */
    static String downtime(MigrationView view) {
        return view.downtime().equals(Downtime.NONE)
                ? "-"
                : Units.millisOf(view.downtime().totalMicros());
    }

    private static String parts(Downtime parts) {
        return parts.equals(Downtime.NONE)
                ? ""
                : " (stop " + Units.millisOf(parts.stopMicros())
                        + ", last sync " + Units.millisOf(parts.lastSyncMicros())
                        + ", RAM " + Units.millisOf(parts.lastRamMicros())
                        + ", devices " + Units.millisOf(parts.deviceMicros())
                        + ", load " + Units.millisOf(parts.loadMicros())
                        + ", commit " + Units.millisOf(parts.commitMicros())
                        + ", resume " + Units.millisOf(parts.resumeMicros()) + ")";
    }

    private static String triples(MigrationView view) {
        return view.states().stream().map(MigrationCommands::triple).collect(Collectors.joining(" "));
    }

    private static String triple(StateTriple state) {
        return "(" + state.vm() + ", " + state.migration() + ", " + state.device() + ")";
    }
}
