package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.QemuAbility;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What stands against a migration is known, and said, before one begins. */
final class QemuBlockersTest {
    @TempDir
    Path root;

    private TwoQemuHosts hosts;

    @BeforeEach
    void start() {
        hosts = new TwoQemuHosts(root);
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    private String refused(QemuSpec qemu) throws IOException {
        hosts.b.tell(new HostCommand.PrepareIncoming(
                "m-1", TwoQemuHosts.spec().withQemu(qemu), "", 1, TwoQemuHosts.options(0)));
        MigrationReport.IncomingFailed failed = hosts.await(MigrationReport.IncomingFailed.class);
        // nothing was started for it
        assertThat(Files.exists(hosts.b.folder().resolve(TwoQemuHosts.VM))).isFalse();
        return failed.reason();
    }

    private static QemuSpec qemu(String machine, String accelerator, List<QemuDisk> disks, String... arguments) {
        return new QemuSpec(
                machine,
                accelerator,
                disks,
                List.of(),
                Optional.empty(),
                Optional.empty(),
                "",
                List.of(),
                List.of(arguments),
                Optional.empty());
    }

    @Test
    void aHostSaysWhatItsQemuCanBe() {
        QemuAbility ability = hosts.awaitInventory(hosts.a, said -> true).qemu().orElseThrow();
        assertThat(ability.version()).matches("\\d+\\.\\d+\\.\\d+");
        assertThat(ability.machines()).contains("pc", "q35").anyMatch(name -> name.startsWith("pc-i440fx-"));
        assertThat(ability.cpus()).contains("qemu64", "max");
        assertThat(ability.accelerators()).containsExactly("tcg");
    }

    @Test
    void aDestinationWithoutTheMachineTypeTheCpuModelOrKvmSaysSo() throws IOException {
        assertThat(refused(qemu("pc-q35-99.9", "tcg", List.of()))).contains("without machine type pc-q35-99.9");
        assertThat(refused(qemu("pc", "tcg", List.of(), "-cpu", "Made-Up,+x"))).contains("without CPU model Made-Up");
        assertThat(refused(qemu("pc", "kvm", List.of()))).contains("accelerator kvm is not to be had on this host");
    }

    @Test
    void aDiskOfOneHostAloneIsNamedByTheVmsStatusAndRefusedByTheDestination() throws Exception {
        Path image = Files.write(root.resolve("local.img"), new byte[1 << 20]);
        List<QemuDisk> disks = List.of(new QemuDisk(image.toString(), "raw", false));
        VmSpec spec = TwoQemuHosts.spec().withQemu(qemu("", "tcg", disks, "-qmp", "unix:test,server=on,wait=off"));
        VmStatus status = hosts.create(spec);
        assertThat(status.blockers()).singleElement().asString().contains(image + " of VM vm-1 is on this host alone");
        assertThat(refused(qemu("", "tcg", disks))).contains("on this host alone");
    }

    @Test
    void aDeviceThatCannotBeMigratedIsNamedByTheVmsStatusAndByTheMigrationThatIsTriedAllTheSame() {
        hosts.create(TwoQemuHosts.spec(List.of("-device", "nvme,serial=s"), List.of(), Optional.empty()));
        VmStatus status = hosts.awaitVm(hosts.a, vm -> !vm.blockers().isEmpty());
        assertThat(status.blockers()).singleElement().asString().contains("nvme");
        hosts.beginSave("m-1", hosts.a, 1, new io.godwit.proto.host.DataEndpoint("127.0.0.1", 1), 0);
        assertThat(hosts.await(MigrationReport.SaveFailed.class).reason()).contains("nvme");
    }
}
