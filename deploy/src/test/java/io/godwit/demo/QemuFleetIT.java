package io.godwit.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.godwit.agent.qemu.HostProcesses;
import io.godwit.api.EvacuationBody;
import io.godwit.api.MigrationBody;
import io.godwit.api.OptionsBody;
import io.godwit.api.QemuBody;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.cli.CliFailure;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.QemuSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Whole fleets of real processes with QEMU guests, which outlive their agents. */
@Tag("process")
class QemuFleetIT {
    private static final long MIB = FleetIT.MIB;
    private static final List<String> VMS = List.of("vm-1", "vm-2");
    private static final List<String> HOSTS = List.of("host-1", "host-2", "host-3");

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @BeforeEach
    void needsQemu() {
        if (HostProcesses.lookUp("qemu-system-x86_64").isEmpty()) {
            String reason = "NOT TESTED: qemu: no qemu-system-x86_64 on the PATH";
            if (Arrays.asList(System.getProperty("godwit.require", "").split(","))
                    .contains("qemu")) {
                fail(reason);
            }
            System.err.println(reason);
            assumeTrue(false, reason);
        }
    }

    @Test
    void theDemoEmptiesAHostOfQemuGuestsAndEndsThem() throws Exception {
        FleetIT.Ended demo = FleetIT.godwit(
                folder, "demo", "--guest", "qemu", "--vms", "2", "--memory", "64MiB", "--output", "json");
        assertThat(demo.exitCode()).as(demo.stderr()).isZero();
        JsonNode document = new ObjectMapper().readTree(demo.stdout());
        assertThat(document.get("migrations")).hasSize(2).allSatisfy(migration -> {
            assertThat(migration.get("driver").asText()).isEqualTo("qemu");
            assertThat(migration.get("verified").asBoolean()).isFalse();
            assertThat(migration.get("ruleHolds").asBoolean()).isTrue();
        });
        assertThat(document.get("checks"))
                .hasSize(14)
                .allSatisfy(check -> assertThat(check.get("ok").asBoolean()).isTrue());
        assertThat(ProcessHandle.allProcesses()
                        .flatMap(process -> process.info().commandLine().stream())
                        .filter(line -> line.contains("qemu-system") && line.contains("/godwit-demo-")))
                .as("a QEMU outlives its agent, but not the demo")
                .isEmpty();
    }

    @Test
    void guestsOutliveTheSourcesAgentAreEvacuatedOnceItIsBackAndMovedByPostcopy() throws Exception {
        DemoOptions options = new DemoOptions(HOSTS.size(), 2, 128 * MIB, "qemu");
        try (DemoFleet fleet = FleetIT.fleet(folder)) {
            ApiClient client = fleet.start(options);
            FleetIT.await(
                    () -> FleetIT.hosts(client),
                    seen -> seen.stream()
                                    .filter(host -> host.state().equals("UP")
                                            && host.inventory().isPresent())
                                    .count()
                            == HOSTS.size());
            for (String vm : VMS) {
                client.post(ApiClient.path("vms"), guest(vm));
            }
            Map<String, GuestCheck> before = new TreeMap<>();
            for (String vm : VMS) {
                before.put(vm, FleetIT.await(() -> check(client, vm), GuestCheck::holds));
            }
            client.post(
                    ApiClient.path("evacuations"),
                    // slower than the guests write, so that no migration comes to its end before the ladder is climbed
                    new EvacuationBody(List.of("host-1"), false, slow("wait:3s, bandwidth:unlimited:10s")));
            List<MigrationView> first = new ArrayList<>();
            for (String vm : VMS) {
                first.add(FleetIT.await(
                        () -> migrationOf(client, vm),
                        view -> view != null
                                && view.phase() == MigrationPhase.PRE_COPY
                                && view.stats().transferredBytes() > 4 * MIB));
            }
            fleet.kill("host-1");

            for (String vm : VMS) {
                VmView away = FleetIT.await(
                        () -> client.view(client.get(ApiClient.path("vms", vm)), VmView.class),
                        view -> view.state().equals("UNKNOWN")
                                && view.failure()
                                        .filter(why -> why.contains("agent is away"))
                                        .isPresent());
                assertThat(away.host()).contains("host-1");
                assertThat(fleet.witness().running(vm, HOSTS))
                        .as("it goes on without its agent")
                        .containsExactly("host-1");
                assertThatThrownBy(() -> client.delete(ApiClient.path("vms", vm)))
                        .isInstanceOf(CliFailure.class)
                        .hasMessageContaining(vm);
            }
            EvacuationView waiting = FleetIT.evacuations(client).getFirst();
            assertThat(FleetIT.ended(waiting)).as(waiting.toString()).isFalse();
            assertThat(waiting.vms()).noneMatch(row -> row.state().equals("LOST"));

            fleet.restart("host-1");
            EvacuationView ended =
                    FleetIT.await(() -> FleetIT.evacuations(client).getFirst(), FleetIT::ended);
            assertThat(ended.state()).as(ended.toString()).isEqualTo("COMPLETED");
            for (MigrationView was : first) {
                MigrationView failed = FleetIT.migration(client, was.id());
                assertThat(failed.phase()).isEqualTo(MigrationPhase.FAILED);
                assertThat(failed.sourceLost()).isFalse();
            }
            for (String vm : VMS) {
                OwnershipView owner = owner(client, vm);
                assertThat(owner.epoch()).isEqualTo(2);
                assertThat(owner.host()).isPresent().get().isNotEqualTo("host-1");
                GuestCheck after = FleetIT.await(() -> check(client, vm), GuestCheck::holds);
                assertThat(after.guestWrites()).isGreaterThan(before.get(vm).guestWrites());
                assertThat(fleet.witness().running(vm, HOSTS))
                        .containsExactly(owner.host().get());
            }

            OwnershipView before2 = owner(client, "vm-1");
            String host = before2.host().orElseThrow();
            client.post(ApiClient.path("hosts", "host-1", "uncordon"), null);
            MigrationView asked = client.view(
                    client.post(
                            ApiClient.path("migrations"),
                            new MigrationBody("vm-1", "host-1", slow("wait:1s, postcopy"))),
                    MigrationView.class);
            MigrationView moved = FleetIT.await(
                    () -> FleetIT.migration(client, asked.id()),
                    view -> view.phase() == MigrationPhase.COMPLETED || view.phase() == MigrationPhase.FAILED);
            assertThat(moved.phase()).as(moved.toString()).isEqualTo(MigrationPhase.COMPLETED);
            assertThat(moved.steps())
                    .as("the ladder was climbed")
                    .anyMatch(step -> step.toString().contains("postcopy"));
            assertThat(fleet.witness().running("vm-1", HOSTS)).containsExactly("host-1");
            assertThat(owner(client, "vm-1").epoch()).isEqualTo(3);
            assertThat(FleetIT.await(() -> check(client, "vm-1"), GuestCheck::holds)
                            .guestWrites())
                    .isGreaterThan(before.get("vm-1").guestWrites());
            assertThat(host).isNotEqualTo("host-1");
            RunLog log = FleetIT.runLogs(fleet, HOSTS.size());
            assertThat(log.overlap()).isEmpty();
            assertThat(log.staleEpoch()).isEmpty();
        }
    }

    private static OwnershipView owner(ApiClient client, String vm) {
        return client.view(client.get(ApiClient.path("vms", vm, "ownership")), OwnershipView.class);
    }

    /** 6 MiB/s, and what is done when that does not converge. */
    private static OptionsBody slow(String ladder) {
        return new OptionsBody(null, null, 6 * MIB, null, null, ladder);
    }

    /** 32 MiB of it are written all the time, faster than they are sent at first. */
    private static VmBody guest(String name) {
        return new VmBody(
                name,
                "host-1",
                "qemu",
                128 * MIB,
                1,
                new VmBody.Workload(32 * MIB, 8 * MIB, false),
                List.of(),
                2000L,
                null,
                null,
                new QemuBody(
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        null,
                        List.of("postcopy-ram"),
                        QemuWitness.ARGUMENTS,
                        QemuSpec.BOOT_SECTOR,
                        null));
    }

    /** Its check; one that cannot be made, as while it boots, does not hold. */
    private static GuestCheck check(ApiClient client, String vm) {
        try {
            return client.view(client.post(ApiClient.path("vms", vm, "check"), null), GuestCheck.class);
        } catch (CliFailure e) {
            return new GuestCheck(false, 0, 0, String.valueOf(e.getMessage()));
        }
    }

    private static @Nullable MigrationView migrationOf(ApiClient client, String vm) {
        return FleetIT.evacuations(client).getFirst().vms().stream()
                .filter(row -> row.vm().equals(vm))
                .flatMap(row -> row.migrations().stream())
                .reduce((_, last) -> last)
                .map(id -> FleetIT.migration(client, id))
                .orElse(null);
    }
}
