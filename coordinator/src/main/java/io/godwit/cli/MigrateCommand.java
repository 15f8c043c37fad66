package io.godwit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.MigrationBody;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code migrate}. */
@Command(name = "migrate", description = "Moves one VM to another host and waits until it runs there.")
public final class MigrateCommand implements Callable<Integer> {
    private final Shell shell;

    @Parameters(paramLabel = "VM", description = "Name of the VM.")
    String vm = "";

    @Option(names = "--to", paramLabel = "HOST", description = "Destination (default: the first that fits).")
    @Nullable
    String to;

    @Option(
            names = "--wait",
            negatable = true,
            defaultValue = "true",
            fallbackValue = "true",
            description = "Wait for its end (--wait, the default), or return once it is under way (--no-wait).")
    boolean wait = true;

    @Option(names = "--watch", description = "Show progress and each convergence step on stderr.")
    boolean watch;

    @Mixin
    MoveOptions options = new MoveOptions();

    MigrateCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() {
        ApiClient client = shell.client();
        JsonNode started = client.post(ApiClient.path("migrations"), new MigrationBody(vm, to, options.body()));
        String id = client.view(started, MigrationView.class).id();
        JsonNode last = wait || watch ? end(client, id) : started;
        MigrationView view = client.view(last, MigrationView.class);
        shell.print(last, () -> MigrationText.describe(view));
        if (view.phase().ended() && view.phase() != MigrationPhase.COMPLETED) {
            throw CliFailure.failed("VM " + vm + " did not move to " + view.to() + ": "
                    + view.phase().name().toLowerCase(Locale.ROOT) + ": "
                    + view.reason().orElse("no reason given"));
        }
        return ExitCode.OK;
    }

    private JsonNode end(ApiClient client, String id) {
        try (ProgressDisplay display = new ProgressDisplay(shell.surroundings(), client, watch)) {
            return new Wait(shell)
                    .until(
                            "migration " + id,
                            () -> client.get(ApiClient.path("migrations", id)),
                            node -> client.view(node, MigrationView.class)
                                    .phase()
                                    .ended(),
                            node -> display.show(client.view(node, MigrationView.class)));
        }
    }
}
