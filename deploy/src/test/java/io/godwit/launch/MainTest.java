package io.godwit.launch;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.cli.CliSettings;
import io.godwit.cli.ExitCode;
import io.godwit.cli.Shell;
import io.godwit.cli.Surroundings;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MainTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "host | needs --id, --seed and --memory",
                "host --id h --seed nowhere --memory 1GiB | --seed 'nowhere'",
                "host --id h --seed a:1 --memory lots | 'lots' is not a size",
                "host --id h --seed a:1 --memory 1GiB --device-pool gpu=many | --device-pool",
                "coordinator --port none | --port",
                "coordinator --cluster-port 70000 | expected 0 to 65535",
                "demo --hosts 1 | --hosts is 1; expected 2 to 16",
                "demo --vms 0 | --vms is 0; expected 1 to 64",
                "demo --memory 3MiB | --memory",
                "demo --guest xen | --guest 'xen'; expected auto, kvm, soft or qemu"
            })
    void refusesBadInputInOneLineBeforeItStartsAnything(String arguments, String expected) {
        assertThat(run(arguments.split(" "))).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString(StandardCharsets.UTF_8).strip().lines()).hasSize(1);
        assertThat(err.toString(StandardCharsets.UTF_8)).contains(expected);
    }

    @Test
    void namesThePortThatIsTakenInOneLine() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String port = String.valueOf(taken.getLocalPort());
            assertThat(run("coordinator", "--port", port)).isEqualTo(ExitCode.FAILED);
            assertThat(run("host", "--id", "h", "--seed", "a:1", "--memory", "1GiB", "--data-port", port))
                    .isEqualTo(ExitCode.FAILED);
            assertThat(err.toString(StandardCharsets.UTF_8).strip().lines())
                    .hasSize(2)
                    .allMatch(line -> line.contains("127.0.0.1:" + port) && line.contains("expected a free port"));
        }
    }

    @Test
    void namesTheDataFolderThatIsInUseInOneLineBeforeItStartsAnything(@TempDir Path data) {
        try (DataFolder _ = DataFolder.lock(data)) {
            String folder = data.toString();
            assertThat(run("coordinator", "--port", "0", "--cluster-port", "0", "--data", folder))
                    .isEqualTo(ExitCode.FAILED);
            assertThat(run("host", "--id", "h", "--seed", "a:1", "--memory", "1GiB", "--data", folder))
                    .isEqualTo(ExitCode.FAILED);
            assertThat(err.toString(StandardCharsets.UTF_8).strip().lines())
                    .hasSize(2)
                    .allMatch(line -> line.contains("data folder " + folder + " is in use by process "
                            + ProcessHandle.current().pid()));
        }
        assertThat(data).isDirectoryContaining(file -> file.endsWith("lock"));
        DataFolder.lock(data).close(); // free again
    }

    @Test
    void namesTheDataFolderThatCannotBeUsed(@TempDir Path parent) throws Exception {
        Path file = Files.createFile(parent.resolve("file"));
        assertThat(run("coordinator", "--port", "0", "--cluster-port", "0", "--data", file.toString()))
                .isEqualTo(ExitCode.FAILED);
        assertThat(err.toString(StandardCharsets.UTF_8).strip().lines())
                .singleElement()
                .asString()
                .contains(file.toString(), "expected a folder to write to (--data)");
    }

    @Test
    void listsEveryCommandInItsHelp() {
        assertThat(run("--help")).isEqualTo(ExitCode.OK);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("demo", "coordinator", "host", "vm", "migrate", "evacuate", "migration", "130");
        out.reset();
        assertThat(run("host", "--help")).isEqualTo(ExitCode.OK);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .contains("--device-pool", "list", "show", "cordon", "uncordon");
    }

    private int run(String... arguments) {
        Surroundings around = new Surroundings(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                CliSettings.of(ConfigFactory.load()),
                () -> 0,
                time -> {},
                action -> () -> {});
        return Main.commandLine(new Shell(around)).execute(arguments);
    }
}
