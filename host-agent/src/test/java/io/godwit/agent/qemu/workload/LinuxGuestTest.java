package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How {@code deploy/guests/linux} is called; what it makes is moved by QemuLinuxTest. */
class LinuxGuestTest {
    private static final Path SCRIPT = Path.of("../deploy/guests/linux").toAbsolutePath();

    private record Ended(int status, String output) {}

    private static Ended script(String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(SCRIPT.toString());
        builder.command().addAll(List.of(arguments));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    @Test
    void theScriptSaysWhatIsWrong() throws Exception {
        assertThat(script()).isEqualTo(new Ended(2, "guests/linux: --output is missing; see --help\n"));
        assertThat(script("--outpt", "x"))
                .isEqualTo(new Ended(2, "guests/linux: unknown argument '--outpt'; see --help\n"));
        assertThat(script("--help").status()).isZero();
    }
}
