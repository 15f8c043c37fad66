package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.kvm.KvmDriver;
import io.godwit.agent.qemu.workload.BootSectorGuest;
import io.godwit.agent.qemu.workload.PageRule;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest that dirties its memory by a rule is moved while it works, on KVM where that is to be had, and the rule holds at the destination. */
final class QemuRuleTest {
    /** 32 MiB, a pass and a mark every two seconds. */
    private static final BootSectorGuest GUEST = new BootSectorGuest(33L << 20, 4096, 1);

    @TempDir
    Path root;

    private TwoQemuHosts hosts;
    private boolean kvm;

    @BeforeEach
    void start() {
        kvm = KvmDriver.available().available();
        // the emulator may lose writes of a guest that runs while it is copied
        hosts = new TwoQemuHosts(root, "godwit.qemu.tcg-live = false", kvm);
    }

    @AfterEach
    void stop() throws Exception {
        hosts.close();
    }

    private PageRule.Verdict.Holds holds(TwoQemuHosts.Agent agent, PageRule rule, String name) throws IOException {
        Path dump = root.resolve(name);
        hosts.qmp(
                agent,
                "pmemsave",
                "{\"val\": " + rule.firstGpa() + ", \"size\": " + rule.bytes() + ", \"filename\": \"" + dump + "\"}");
        PageRule.Verdict verdict = rule.check(dump, OptionalLong.empty());
        Files.delete(dump);
        assertThat(verdict).isInstanceOf(PageRule.Verdict.Holds.class);
        return (PageRule.Verdict.Holds) verdict;
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "multifd", "xbzrle"})
    void theRuleHoldsAtTheDestinationAndTheGuestGoesOn(String capability) throws Exception {
        Path image = root.resolve("guest.img");
        GUEST.writeImage(image);
        VmSpec spec = hosts.create(TwoQemuHosts.spec(
                        BootSectorGuest.bootFrom(image),
                        capability.isEmpty() ? List.of() : List.of(capability),
                        Optional.empty(),
                        kvm ? "kvm" : "tcg"))
                .spec();
        hosts.awaitSerial(hosts.a, BootSectorGuest.STARTED);
        DataEndpoint to = hosts.prepare("m-1", spec, 1, hosts.b);
        hosts.beginSave("m-1", hosts.a, 1, to, 40 * TwoQemuHosts.MIB);
        SaveProgress told = null;
        for (MigrationMessage message = hosts.await(MigrationMessage.class);
                !(message instanceof MigrationReport.ReadyToSwitchOver);
                message = hosts.await(MigrationMessage.class)) {
            told = message instanceof SaveProgress progress ? progress : told;
        }
        assertThat(told).isNotNull();
        assertThat(told.progress().predictedDowntimeMicros()).isPositive();
        assertThat(told.progress().hypervisorDowntimeMicros()).isNotNegative();
        long atSource = holds(hosts.a, GUEST.rule(), "source").total();
        hosts.handOff("m-1", hosts.a, hosts.b, 1);
        MigrationReport.VmRunning running = hosts.await(MigrationReport.VmRunning.class);
        assertThat(running.host()).isEqualTo("host-b");
        hosts.a.tell(new HostCommand.ReleaseSource("m-1", TwoQemuHosts.VM, 2));
        MigrationReport.SourceReleased released = hosts.await(MigrationReport.SourceReleased.class);
        assertThat(released.stats().ramBytesSent()).isGreaterThan(32 * TwoQemuHosts.MIB);
        Path after = hosts.b.folder().resolve(TwoQemuHosts.VM).resolve("serial.log");
        hosts.awaitSerial(hosts.b, BootSectorGuest.MARK);
        // it went on, it did not start again
        assertThat(Files.readString(after)).doesNotContain(String.valueOf(BootSectorGuest.STARTED));
        hosts.qmp(hosts.b, "stop");
        assertThat(holds(hosts.b, GUEST.rule(), "destination").total()).isGreaterThan(atSource);
    }
}
