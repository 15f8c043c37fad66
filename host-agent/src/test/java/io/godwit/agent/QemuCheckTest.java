package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.qemu.workload.BootSectorGuest;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The rule of a QEMU guest of ours is checked by its agent, which leaves the guest as it was. */
final class QemuCheckTest {
    private static final long MIB = TwoQemuHosts.MIB;

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

    private static VmSpec spec(String workload, List<String> more) {
        VmSpec plain = TwoQemuHosts.spec();
        List<String> arguments = new ArrayList<>(plain.qemu().orElseThrow().arguments());
        arguments.addAll(more);
        return new VmSpec(
                        plain.name(),
                        plain.driver(),
                        64 * MIB,
                        1,
                        workload.isEmpty() ? plain.workload() : new WorkloadSpec(8 * MIB, 8 * MIB, false),
                        List.of(),
                        2000)
                .withQemu(new QemuSpec(
                        "",
                        "tcg",
                        List.of(),
                        List.of(),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        List.of(),
                        arguments,
                        Optional.empty(),
                        workload));
    }

    private HostReply check(TwoQemuHosts.Agent agent) {
        TestProbe<HostReply> probe = hosts.kit.createTestProbe();
        agent.tell(new HostCommand.CheckVm(TwoQemuHosts.VM, probe.ref()));
        return probe.receiveMessage(TwoQemuHosts.PATIENCE);
    }

    /** The check's result once the guest has booted: before that there is nothing to check, and nothing broken either. */
    private GuestCheck checked(TwoQemuHosts.Agent agent) {
        HostReply reply = Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> check(agent), said -> {
            if (said instanceof HostReply.HostRefused refused) {
                assertThat(refused.reason()).contains("is still booting");
            }
            return said instanceof HostReply.VmChecked;
        });
        return ((HostReply.VmChecked) reply).check();
    }

    private Path file(TwoQemuHosts.Agent agent, String name) {
        return agent.folder().resolve(TwoQemuHosts.VM).resolve(name);
    }

    @Test
    void theRuleHoldsAtTheSourceAndAtTheDestinationAndTheGuestRunsOn() throws Exception {
        VmSpec spec = hosts.create(spec(QemuSpec.BOOT_SECTOR, List.of())).spec();
        GuestCheck first = checked(hosts.a);
        assertThat(first.holds()).as(first.detail()).isTrue();
        assertThat(first.detail()).contains("2048 pages");
        assertThat(hosts.runs(hosts.a)).isTrue();
        assertThat(file(hosts.a, "check.dump")).doesNotExist();
        assertThat(hosts.runs.subList(0, 3))
                .containsExactly("host-a runs under 1", "host-a stops", "host-a runs under 1");

        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 0);
        hosts.await(MigrationReport.ReadyToSwitchOver.class);
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        assertThat(hosts.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        hosts.await(MigrationReport.SourceReleased.class);
        GuestCheck second = checked(hosts.b);
        assertThat(second.holds()).as(second.detail()).isTrue();
        assertThat(second.guestWrites()).isGreaterThan(first.guestWrites());
        assertThat(hosts.runs(hosts.b)).isTrue();
    }

    @Test
    void aPageThatSomebodyElseWroteIsNamedAndTheGuestRunsOn() throws Exception {
        Path memory = root.resolve("memory");
        hosts.create(spec(
                QemuSpec.BOOT_SECTOR,
                List.of(
                        "-object",
                        "memory-backend-file,id=ram,size=64M,share=on,mem-path=" + memory,
                        "-machine",
                        "memory-backend=ram")));
        assertThat(checked(hosts.a).holds()).isTrue();
        long damaged = BootSectorGuest.START_GPA + 5 * BootSectorGuest.PAGE_BYTES + 100;
        try (RandomAccessFile file = new RandomAccessFile(memory.toFile(), "rw")) {
            file.seek(damaged);
            file.write(7);
        }
        GuestCheck check = checked(hosts.a);
        assertThat(check.holds()).isFalse();
        assertThat(check.detail()).contains("0x" + Long.toHexString(damaged)).contains("byte 7; expected 0");
        assertThat(hosts.runs(hosts.a)).isTrue();
    }

    @Test
    void aGuestThatStoodIsLeftStandingAndOneWhoseCheckFailsIsNot() throws Exception {
        hosts.create(spec(QemuSpec.BOOT_SECTOR, List.of()));
        assertThat(checked(hosts.a).holds()).isTrue();
        Files.createDirectory(file(hosts.a, "check.dump"));
        assertThat(check(hosts.a))
                .isInstanceOfSatisfying(
                        HostReply.HostRefused.class,
                        refused -> assertThat(refused.reason())
                                .contains("could not be checked")
                                .contains("check.dump"));
        Awaitility.await().atMost(TwoQemuHosts.PATIENCE).until(() -> hosts.runs(hosts.a));
        hosts.qmp(hosts.a, "stop");
        assertThat(checked(hosts.a).holds()).isTrue();
        assertThat(hosts.runs(hosts.a)).isFalse();
        hosts.awaitVm(hosts.a, vm -> vm.runState() == RunState.PAUSED);
    }

    @Test
    void aGuestOfSomebodyElseHasNoRuleAndAWorkloadWithoutRoomIsRefused() {
        TestProbe<HostReply> probe = hosts.kit.createTestProbe();
        VmSpec large = spec(QemuSpec.BOOT_SECTOR, List.of());
        VmSpec tooLarge = new VmSpec(
                        large.name(),
                        large.driver(),
                        64 * MIB,
                        1,
                        new WorkloadSpec(62 * MIB, 0, false),
                        List.of(),
                        2000)
                .withQemu(large.qemu().orElseThrow());
        hosts.a.tell(new HostCommand.CreateVm(tooLarge, 1, probe.ref()));
        assertThat(probe.receiveMessage(TwoQemuHosts.PATIENCE))
                .isInstanceOfSatisfying(
                        HostReply.HostRefused.class,
                        refused -> assertThat(refused.reason())
                                .contains("working set is " + 62 * MIB)
                                .contains("at most " + 61 * MIB));
        hosts.create(spec("", List.of()));
        assertThat(check(hosts.a))
                .isInstanceOfSatisfying(
                        HostReply.HostRefused.class,
                        refused -> assertThat(refused.reason())
                                .contains("has no rule to check")
                                .contains(QemuSpec.BOOT_SECTOR));
    }
}
