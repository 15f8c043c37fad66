package io.godwit.launch;

import com.typesafe.config.ConfigFactory;
import io.godwit.agent.HostNode;
import io.godwit.agent.HostOptions;
import io.godwit.cli.ExitCode;
import io.godwit.cli.Shell;
import io.godwit.fleet.NodeOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * What the build has a JVM remember, so that later ones start several times as fast (JEP 483, JEP 515): a coordinator and two
 * agents in one process, a VM that is created, moved by an evacuation and looked at. It exits with 1 when any of it fails.
 */
public final class Training {
    // the hosts join while the first command is tried: ten seconds in all, several times what that takes
    private static final int ATTEMPTS = 50;
    private static final long PAUSE_MS = 200;

    private Training() {}

    /** Runs it in the folder that is the only argument. */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        Path folder = Path.of(arguments[0]);
        int code = ExitCode.OK;
        try (CoordinatorProcess coordinator = CoordinatorProcess.start(
                        new NodeOptions("127.0.0.1", 0, folder.resolve("coordinator"), List.of()),
                        ConfigFactory.empty(),
                        "127.0.0.1",
                        0,
                        Duration.ZERO);
                HostNode _ = host(folder, "a", coordinator);
                HostNode _ = host(folder, "b", coordinator)) {
            String url = "http://127.0.0.1:" + coordinator.port();
            for (String command : List.of(
                    "vm create vm --host a --memory 8MiB --fill --dirty-rate 1MiB/s --working-set 2MiB"
                            + " --device gpu,state=1MiB,pinned=1MiB",
                    "evacuate a --dry-run",
                    "evacuate a",
                    "host list",
                    "vm list",
                    "vm check vm",
                    "vm show vm --history",
                    "vm destroy vm")) {
                code = Math.max(code, run(url, command));
            }
        }
        System.exit(code);
    }

    private static HostNode host(Path folder, String id, CoordinatorProcess coordinator) throws IOException {
        return HostNode.start(new HostOptions(
                id,
                "127.0.0.1",
                0,
                0,
                List.of("127.0.0.1:" + coordinator.clusterPort()),
                folder.resolve(id),
                64 << 20,
                Map.of("gpu", 1),
                1,
                1,
                "auto"));
    }

    /** A host that has yet to join is looked for again. */
    private static int run(String url, String command) throws InterruptedException {
        int code = ExitCode.FAILED;
        for (int attempt = 0; attempt < ATTEMPTS && code != ExitCode.OK; attempt++) {
            code = Main.commandLine(new Shell(Main.surroundings()))
                    .execute((command + " --coordinator " + url).split(" "));
            if (code != ExitCode.OK) {
                Thread.sleep(PAUSE_MS);
            }
        }
        return code;
    }
}
