package io.godwit.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.demo.RunLog.Interval;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Real processes and short leases: a VM that is to be started anew, and its neighbour that is not. */
@Tag("process")
class LeaseIT {
    private static final long MIB = FleetIT.MIB;

    /** (4 s / 0.9 + 1 s) * 1.1: what the coordinator waits for. */
    private static final long OVER_NANOS = 5_980_000_000L;

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @Test
    void aVmOfADeadHostAndOfOneThatStandsStillRunsOnAnotherAndNeverOnTwo() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = started(fleet, 3);
            create(client, "again", VmSpec.RESTART);
            create(client, "left", VmSpec.LEAVE);
            running(client, "left");
            String first = running(client, "again").host().orElseThrow();
            assertThat(first).isEqualTo("host-1");

            long killed = System.nanoTime();
            fleet.kill("host-1");
            String second = runningElsewhere(client, "again", first);
            Interval anew = open(fleet, second);
            assertThat(anew.fromNanos() - killed)
                    .as("not before the last lease was over, of which at most two seconds had passed")
                    .isGreaterThan(OVER_NANOS - 2_500_000_000L);
            System.out.printf("killed: runs elsewhere after %.1f s%n", (anew.fromNanos() - killed) / 1e9);
            VmView left = show(client, "left");
            assertThat(left.state()).isEqualTo("LOST");
            assertThat(left.failure().orElseThrow()).contains("agent is gone, and the VM with it", "policy is leave");

            long stopped = System.nanoTime();
            fleet.signal(second, false);
            String third = runningElsewhere(client, "again", second);
            Interval afterThat = open(fleet, third);
            System.out.printf("stopped: runs elsewhere after %.1f s%n", (afterThat.fromNanos() - stopped) / 1e9);
            fleet.signal(second, true);
            FleetIT.await(
                    () -> FleetIT.hosts(client).stream()
                            .filter(host -> host.host().equals(second))
                            .findFirst()
                            .orElseThrow(),
                    host -> host.state().equals("UP")
                            && host.inventory().isPresent()
                            && host.inventory().get().vms().isEmpty());
            Interval there = intervals(fleet, second).getLast();
            assertThat(there.open()).isFalse();
            assertThat(there.toNanos()).as("it ran nothing when it woke").isLessThan(afterThat.fromNanos());
            assertThat(running(client, "again").epoch()).isEqualTo(3);
            FleetIT.Ended history =
                    FleetIT.godwit(folder, "--coordinator", client.url(), "vm", "show", "again", "--history");
            assertThat(history.stdout())
                    .contains("fenced off: the lease of host " + first + " ran out")
                    .contains("fenced off: the lease of host " + second + " ran out");
            System.out.println(history.stdout());
        }
    }

    @Test
    void withoutAnyCoordinatorItStandsUntilThereIsOneAndItsNeighbourRunsOn() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = started(fleet, 1);
            create(client, "again", VmSpec.RESTART);
            create(client, "left", VmSpec.LEAVE);
            running(client, "again");
            running(client, "left");
            fleet.kill("coordinator");
            FleetIT.await(() -> Files.readString(fleet.runLog("host-1")), log -> log.contains(" again STOP 1"));
            fleet.restart("coordinator");
            FleetIT.await(
                    () -> Files.readString(fleet.runLog("host-1")),
                    log -> log.lastIndexOf(" again RUN 1") > log.lastIndexOf(" again STOP 1"));
            assertThat(Files.readString(fleet.runLog("host-1"))).doesNotContain(" left STOP");
            VmView again = FleetIT.await(
                    () -> show(client, "again"),
                    vm -> vm.state().equals("RUNNING") && vm.failure().isEmpty());
            assertThat(again.epoch()).isEqualTo(1);
            GuestCheck check =
                    client.view(client.post(ApiClient.path("vms", "again", "check"), null), GuestCheck.class);
            assertThat(check.holds()).as(check.detail()).isTrue();
        }
    }

    private DemoFleet fleet() {
        List<String> options = new ArrayList<>(FleetIT.JVM_OPTIONS);
        options.add("-Dgodwit.lease.duration=4s");
        options.add("-Dgodwit.lease.stop-within=1s");
        return new DemoFleet(folder, DemoSettings.of(ConfigFactory.load()), options, FleetIT.CLASS_PATH);
    }

    private static ApiClient started(DemoFleet fleet, int hosts) throws IOException, InterruptedException {
        ApiClient client = fleet.start(new DemoOptions(hosts, 2, 64 * MIB, "soft"));
        FleetIT.await(
                () -> FleetIT.hosts(client),
                seen -> seen.stream()
                                .filter(host -> host.state().equals("UP")
                                        && host.inventory().isPresent())
                                .count()
                        == hosts);
        return client;
    }

    private static void create(ApiClient client, String name, String ha) {
        client.post(
                ApiClient.path("vms"),
                new VmBody(
                        name,
                        "host-1",
                        "soft",
                        64 * MIB,
                        1,
                        new VmBody.Workload(4 * MIB, MIB, true),
                        List.of(),
                        null,
                        null,
                        null,
                        null,
                        ha));
    }

    private static VmView show(ApiClient client, String vm) {
        return client.view(client.get(ApiClient.path("vms", vm)), VmView.class);
    }

    private static VmView running(ApiClient client, String vm) {
        return FleetIT.await(
                () -> show(client, vm),
                view -> view.state().equals("RUNNING") && view.failure().isEmpty());
    }

    private static String runningElsewhere(ApiClient client, String vm, String than) {
        return FleetIT.await(
                        () -> show(client, vm),
                        view -> view.state().equals("RUNNING")
                                && view.failure().isEmpty()
                                && !view.host().equals(Optional.of(than)))
                .host()
                .orElseThrow();
    }

    private static List<Interval> intervals(DemoFleet fleet, String host) throws IOException {
        RunLog log = new RunLog();
        log.read(host, fleet.runLog(host));
        return log.intervals().stream()
                .filter(interval -> interval.vm().equals("again"))
                .toList();
    }

    private static Interval open(DemoFleet fleet, String host) throws IOException {
        Interval last = intervals(fleet, host).getLast();
        assertThat(last.open()).isTrue();
        return last;
    }
}
