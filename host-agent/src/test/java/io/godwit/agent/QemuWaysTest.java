package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.agent.qemu.workload.BootSectorGuest;
import io.godwit.agent.qemu.workload.TestDisk;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Ways in which a guest goes: over a Unix socket, with a disk that both hosts reach, held back, or not at all. */
final class QemuWaysTest {
    @TempDir
    Path root;

    private @Nullable TwoQemuHosts open;

    private TwoQemuHosts hosts(String settings) {
        TwoQemuHosts hosts = new TwoQemuHosts(root, settings, false);
        open = hosts;
        return hosts;
    }

    @AfterEach
    void stop() throws Exception {
        if (open != null) {
            open.close();
        }
    }

    private static void move(TwoQemuHosts hosts, VmSpec spec) throws IOException {
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(hosts.runs(hosts.b)).isTrue();
    }

    @Test
    void overAUnixSocketOfTheDestination() throws IOException {
        TwoQemuHosts hosts = hosts("godwit.qemu.transport = unix");
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-0", spec, 1, hosts.b);
        assertThat(to.host()).startsWith("unix:/").endsWith("/vm-1/incoming");
        hosts.b.tell(new HostCommand.DiscardIncoming("m-0", TwoQemuHosts.VM, "once more"));
        hosts.await(MigrationReport.IncomingDiscarded.class);
        move(hosts, spec);
    }

    @Test
    void aDestinationThatIsAnotherMachineByItsUuidTakesNothing() throws IOException {
        TwoQemuHosts hosts = hosts("");
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        QemuSpec other = spec.qemu().orElseThrow().with(List.of("-uuid", "9fbbd5a4-9a8f-4a5c-8a1c-0d4f6e3b2a10"));
        DataEndpoint to = hosts.prepare("m-1", spec.withQemu(other), 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        boolean save = false;
        String incoming = "";
        while (!save || incoming.isEmpty()) {
            MigrationReport report = hosts.await(MigrationReport.class);
            if (report instanceof MigrationReport.SaveFailed failed) {
                save = !failed.surrendered();
            } else if (report instanceof MigrationReport.IncomingFailed failed) {
                incoming = failed.reason();
            }
        }
        assertThat(incoming).contains("UUID");
        assertThat(hosts.runs(hosts.a)).isTrue();
    }

    @Test
    void anEmulatedGuestThatCannotStandForAllOfItsCopyingIsNotMoved() throws Exception {
        TwoQemuHosts hosts = hosts("godwit.qemu { tcg-live = false, tcg-bandwidth = 10 MiB }");
        VmSpec spec = hosts.create(TwoQemuHosts.spec()).spec();
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        MigrationReport report = hosts.await(MigrationReport.class);
        while (!(report instanceof MigrationReport.SaveFailed failed)) {
            report = hosts.await(MigrationReport.class);
        }
        assertThat(failed.reason())
                .contains("(accelerator tcg) stands for all of its copying, about 15", "the limit can become 500 ms");
        assertThat(failed.surrendered()).isFalse();
        assertThat(hosts.runs(hosts.a)).isTrue();
        assertThat(hosts.runs).containsExactly("host-a runs under 1");
    }

    @Test
    void aDiskThatBothReachIsLockedByWhoeverRuns() throws Exception {
        TwoQemuHosts hosts = hosts("");
        TestDisk disk = TestDisk.create(root.resolve("shared.img"), "raw", 8);
        QemuSpec plain = TwoQemuHosts.spec().qemu().orElseThrow();
        VmSpec spec = hosts.create(TwoQemuHosts.spec()
                        .withQemu(new QemuSpec(
                                "",
                                "tcg",
                                List.of(new QemuDisk(disk.file().toString(), "raw", true)),
                                List.of(),
                                Optional.empty(),
                                Optional.empty(),
                                "",
                                List.of(),
                                plain.arguments(),
                                Optional.empty())))
                .spec();
        assertThat(lockedFor(disk)).contains("Failed to get");
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        hosts.await(MigrationReport.VmRunning.class);
        assertThat(lockedFor(disk)).contains("Failed to get");
        // the source is still there, and holds nothing: its end leaves the destination's lock alone
        assertThat(hosts.qmp(hosts.a, "query-status").path("status").asText()).isEqualTo("postmigrate");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        assertThat(lockedFor(disk)).contains("Failed to get");
        hosts.process(hosts.b).destroyForcibly();
        Awaitility.await()
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> lockedFor(disk).isEmpty());
    }

    /** What qemu-img says when it opens the image for itself; nothing when it may. */
    private static String lockedFor(TestDisk disk) throws Exception {
        Process process = new ProcessBuilder(
                        "qemu-img",
                        "resize",
                        "-q",
                        "-f",
                        disk.format(),
                        disk.file().toString(),
                        "8M")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        return process.waitFor() == 0 ? "" : said;
    }

    @Test
    void aGuestThatDirtiesFasterThanTheLimitIsHeldBack() throws Exception {
        TwoQemuHosts hosts = hosts("");
        // 4 MiB as often as it can, over a link of 2 MiB/s
        BootSectorGuest guest = new BootSectorGuest(5L << 20, 0, 1);
        Path image = root.resolve("guest.img");
        guest.writeImage(image);
        VmSpec spec = hosts.create(TwoQemuHosts.spec(BootSectorGuest.bootFrom(image), List.of(), Optional.empty()))
                .spec();
        // before that it writes nothing, and is copied within no time
        hosts.awaitSerial(hosts.a, BootSectorGuest.STARTED);
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 2 * TwoQemuHosts.MIB);
        hosts.await(MigrationReport.SaveStarted.class);
        hosts.a.tell(new HostCommand.AdjustSave(
                "m-1", TwoQemuHosts.VM, 1, new SaveLimits(1, 1, 1, 2 * TwoQemuHosts.MIB, 60, false)));
        Awaitility.await()
                .atMost(TwoQemuHosts.PATIENCE)
                .until(() -> throttle(hosts.qmp(hosts.a, "query-migrate")) == 60);
        assertThat(hosts.runs(hosts.a)).isTrue();
        hosts.a.tell(new HostCommand.AdjustSave("m-1", TwoQemuHosts.VM, 1, new SaveLimits(2, 2000, 2000, 0, 60, true)));
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
    }

    private static int throttle(JsonNode migration) {
        return migration.path("cpu-throttle-percentage").asInt();
    }
}
