package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.Requirement;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Linux guest of {@code deploy/guests/linux} in a real QEMU, on TCG: that boots it in seconds, and KVM without hardware
 * virtualization in more than a minute. The packages are kept in {@code target/guests}, so that they are downloaded once.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class LinuxGuestTest {
    private static final Path SCRIPT = Path.of("../deploy/guests/linux").toAbsolutePath();
    private static final Path CACHE = Path.of("target/guests").toAbsolutePath();
    private static final int CANNOT_BE_HAD = 3;

    @TempDir
    Path folder;

    private record Ended(int status, String output) {}

    private static Ended script(String... arguments) throws Exception {
        ProcessBuilder builder = new ProcessBuilder(SCRIPT.toString());
        builder.command().addAll(List.of(arguments));
        Process process = builder.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return new Ended(process.waitFor(), output);
    }

    /** The last count on the console, or -1. */
    private static long counter(QemuProcess qemu) throws Exception {
        Matcher lines = Pattern.compile("godwit-counter (\\d+)\r?\n").matcher(qemu.serial());
        long last = -1;
        while (lines.find()) {
            long next = Long.parseLong(lines.group(1));
            assertThat(next).as("counts one by one").isEqualTo(last + 1);
            last = next;
        }
        return last;
    }

    @Test
    void bootsAndCounts() throws Exception {
        QemuProcess.need(QemuProcess.SYSTEM);
        Ended made = script("--output", folder.toString(), "--cache", CACHE.toString());
        Requirement.need("linux-guest", made.status() != CANNOT_BE_HAD, made.output());
        assertThat(made.status()).as(made.output()).isZero();
        List<String> arguments = List.of(
                "-no-reboot",
                "-kernel",
                folder.resolve("vmlinuz").toString(),
                "-initrd",
                folder.resolve("initramfs.gz").toString(),
                "-append",
                "console=ttyS0 quiet panic=-1");
        try (QemuProcess qemu = QemuProcess.start(folder, "linux", "tcg", 128, arguments)) {
            qemu.awaitSerial("godwit-counter 0");
            // past two of its own checks of its memory
            qemu.awaitSerial("godwit-counter 41");
            qemu.execute("stop");
            long stopped = counter(qemu);
            qemu.execute("cont");
            Awaitility.await().until(() -> counter(qemu) > stopped + 2);
            assertThat(qemu.serial()).doesNotContain("godwit-damaged").doesNotContain("panic");
        }
    }

    @Test
    void theScriptSaysWhatIsWrong() throws Exception {
        assertThat(script()).isEqualTo(new Ended(2, "guests/linux: --output is missing; see --help\n"));
        assertThat(script("--outpt", "x"))
                .isEqualTo(new Ended(2, "guests/linux: unknown argument '--outpt'; see --help\n"));
        assertThat(script("--help").status()).isZero();
    }
}
