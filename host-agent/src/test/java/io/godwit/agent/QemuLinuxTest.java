package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Linux guest of {@code deploy/guests/linux} is moved while it works, on TCG, where it stands for its copying: that boots it in seconds, and KVM without
 * hardware virtualization in more than a minute. The packages are kept in {@code target/guests}, so that they are downloaded
 * once.
 */
final class QemuLinuxTest {
    private static final Path SCRIPT = Path.of("../deploy/guests/linux").toAbsolutePath();
    private static final Path CACHE = Path.of("target/guests").toAbsolutePath();
    private static final int CANNOT_BE_HAD = 3;
    private static final Pattern COUNT = Pattern.compile("godwit-counter (\\d+)\r?\n");
    /** On a busy machine. */
    private static final Duration BOOT = Duration.ofMinutes(2);

    @TempDir
    Path root;

    private TwoQemuHosts hosts;

    @BeforeEach
    void start() {
        hosts = new TwoQemuHosts(root, "godwit.qemu.tcg-live = false", false);
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    /** What the guest has said on both hosts, the source first. */
    private String console() throws IOException {
        return console(hosts.a) + console(hosts.b);
    }

    private static String console(TwoQemuHosts.Agent agent) throws IOException {
        Path serial = agent.folder().resolve(TwoQemuHosts.VM).resolve("serial.log");
        return Files.exists(serial) ? Files.readString(serial, StandardCharsets.ISO_8859_1) : "";
    }

    /** The last count; none is left out and none comes twice. -1: it has not counted yet. */
    private long counter() throws IOException {
        Matcher lines = COUNT.matcher(console());
        long last = -1;
        while (lines.find()) {
            long next = Long.parseLong(lines.group(1));
            assertThat(next).as("counts one by one").isEqualTo(last + 1);
            last = next;
        }
        return last;
    }

    private void awaitCount(long wanted) {
        Awaitility.await("count " + wanted).atMost(BOOT).until(() -> counter() >= wanted);
    }

    @Test
    void aLinuxGuestGoesOnCountingWhereItLeftOff() throws Exception {
        Path images = Files.createDirectory(root.resolve("images"));
        Process made = new ProcessBuilder(SCRIPT.toString(), "--output", images.toString(), "--cache", CACHE.toString())
                .redirectErrorStream(true)
                .start();
        String said = new String(made.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = made.waitFor();
        Requirement.need("linux-guest", status != CANNOT_BE_HAD, said);
        assertThat(status).as(said).isZero();
        List<String> arguments = List.of(
                "-no-reboot",
                "-kernel",
                images.resolve("vmlinuz").toString(),
                "-initrd",
                images.resolve("initramfs.gz").toString(),
                "-append",
                "console=ttyS0 quiet panic=-1");
        VmSpec spec = hosts.create(TwoQemuHosts.spec(arguments, List.of(), Optional.empty()))
                .spec();
        // past the first of its own checks of its memory
        awaitCount(21);

        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        long moved = counter();
        hosts.await(MigrationReport.SourceReleased.class);

        // past two more of them
        awaitCount(moved + 41);
        assertThat(console(hosts.b))
                .as("did not boot there")
                .doesNotContain("godwit-counter 0\n", "godwit-counter 0\r");
        assertThat(console()).doesNotContain("godwit-damaged", "panic");
    }
}
