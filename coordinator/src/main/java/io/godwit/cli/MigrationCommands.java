package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.LimitsBody;
import io.godwit.proto.migration.MigrationView;
import io.godwit.units.Units;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code migration list|show|set|cancel}. */
public final class MigrationCommands {
    private MigrationCommands() {}

    /** {@code migration}. */
    @Command(
            name = "migration",
            description = "Shows migrations, changes their limits and rolls them back.",
            subcommands = {ListMigrations.class, ShowMigration.class, SetLimits.class, CancelMigration.class})
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
                            MigrationText.downtime(view),
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
            shell.print(answer, () -> MigrationText.describe(client.view(answer, MigrationView.class)));
            return ExitCode.OK;
        }
    }

    /** {@code migration set}. */
    @Command(name = "set", description = "Changes limits of a migration while it pre-copies.")
    public static final class SetLimits extends OneMigration {
        @Option(
                names = "--downtime-limit",
                paramLabel = "TIME",
                converter = Converters.Millis.class,
                description = "Switch over once the predicted standstill is at most this; never over the VM's budget.")
        @Nullable
        Long downtimeLimitMs;

        @Option(
                names = "--bandwidth",
                paramLabel = "RATE",
                converter = Converters.Rate.class,
                description = "Limit while pre-copying, such as 1GiB/s; 0 for none.")
        @Nullable
        Long bandwidthBytesPerSecond;

        SetLimits(Shell shell) {
            super(shell);
        }

        @Override
        public Integer call() {
            if (downtimeLimitMs == null && bandwidthBytesPerSecond == null) {
                throw CliFailure.usage("nothing to change; expected --downtime-limit, --bandwidth or both");
            }
            ApiClient client = shell.client();
            JsonNode answer = client.patch(
                    ApiClient.path("migrations", id), new LimitsBody(downtimeLimitMs, bandwidthBytesPerSecond));
            MigrationView view = client.view(answer, MigrationView.class);
            shell.print(answer, () -> "migration " + id + ": " + MigrationText.limits(view.limits()) + "\n");
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
}
