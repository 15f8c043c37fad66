package io.godwit.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.typesafe.config.ConfigFactory;
import io.godwit.api.EvacuationBody;
import io.godwit.api.OptionsBody;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.CleanupMode;
import org.junit.jupiter.api.io.TempDir;

/** Whole fleets of real processes: evacuations, deaths in the middle, and the operator's mistakes. */
@Tag("process")
class FleetIT {
    static final long MIB = 1L << 20;
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    /** At {@link #SLOW} in pre-copy for a dozen seconds: time to kill somebody. */
    private static final long SLOW_MEMORY = 256 * MIB;

    private static final long SLOW = 20 * MIB;

    static final Path DIST = Path.of(System.getProperty("godwit.dist", "target/dist"));
    static final String CLASS_PATH = DIST.resolve("lib") + "/*";
    static final List<String> JVM_OPTIONS = List.of(
            "@" + DIST.resolve("jvm.options").toAbsolutePath(),
            "-Xmx256m",
            // what is to be slow is so from the first byte on
            "-Dgodwit.migration.bandwidth-probe=0s");

    @TempDir(cleanup = CleanupMode.ON_SUCCESS)
    Path folder;

    @Test
    void theDemoEmptiesAHostAndSaysSoInOneJsonDocument() throws Exception {
        Ended demo = godwit("demo", "--vms", "2", "--memory", "64MiB", "--output", "json");
        assertThat(demo.exitCode()).as(demo.stderr()).isZero();
        JsonNode document = new ObjectMapper().readTree(demo.stdout());
        assertThat(document.at("/evacuation/state").asText()).isEqualTo("COMPLETED");
        assertThat(document.at("/evacuation/hosts/0").asText()).isEqualTo("host-1");
        assertThat(document.at("/evacuation/moved").asInt()).isEqualTo(2);
        assertThat(document.at("/evacuation/failed").asInt()).isZero();
        assertThat(document.at("/evacuation/durationMs").asLong()).isPositive();
        assertThat(document.get("migrations")).hasSize(2).allSatisfy(migration -> {
            assertThat(migration.get("from").asText()).isEqualTo("host-1");
            assertThat(migration.get("to").asText()).isNotEqualTo("host-1");
            assertThat(migration.get("state").asText()).isEqualTo("COMPLETED");
            assertThat(migration.get("ramBytes").asLong()).isEqualTo(64 * MIB);
            // a gpu of 16 MiB and a vnic, or the nic alone that speaks v1
            assertThat(migration.get("deviceBytes").asLong())
                    .isGreaterThanOrEqualTo(migration.get("vm").asText().equals("vm-1") ? 16 * MIB : 64 * 1024);
            assertThat(migration.get("transferredBytes").asLong()).isGreaterThan(64 * MIB);
            assertThat(migration.get("iterations").asInt()).isPositive();
            assertThat(migration.get("predictedDowntimeMs").asDouble()).isPositive();
            assertThat(migration.get("downtimeMs").asDouble()).isPositive();
            assertThat(migration.get("verified").asBoolean()).isTrue();
            assertThat(migration.get("states").get(0)).hasSize(3);
        });
        assertThat(document.get("owners")).hasSize(2).allSatisfy(owner -> {
            assertThat(owner.get("host").asText()).isNotEqualTo("host-1");
            assertThat(owner.get("epoch").asInt()).isEqualTo(2);
            assertThat(owner.get("runningInstances").asInt()).isEqualTo(1);
        });
    }

    @Test
    void aDestinationThatDiesInPreCopyCostsTheVmNothingAndAnotherHostTakesIt() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = evacuatingSlowly(fleet, 3);
            MigrationView first = preCopying(client);
            assertThat(first.to()).isEqualTo("host-2");
            fleet.kill("host-2");
            EvacuationView ended = await(() -> evacuations(client).getFirst(), FleetIT::ended);
            assertThat(ended.state()).as(ended.toString()).isEqualTo("COMPLETED");
            EvacuationView.VmRow row = ended.vms().getFirst();
            assertThat(row.to()).contains("host-3");
            assertThat(row.migrations()).hasSize(2);
            // its end waits for the cluster's verdict on the dead host; the VM did not
            MigrationView failed = migration(client, row.migrations().getFirst());
            assertThat(failed.phase()).isIn(MigrationPhase.ROLLING_BACK, MigrationPhase.FAILED);
            assertThat(failed.reason()).isPresent();
            assertThat(failed.sourceLost()).isFalse();
            OwnershipView owner =
                    client.view(client.get(ApiClient.path("vms", "vm-1", "ownership")), OwnershipView.class);
            assertThat(owner.host()).contains("host-3");
            GuestCheck check = client.view(client.post(ApiClient.path("vms", "vm-1", "check"), null), GuestCheck.class);
            assertThat(check.holds()).as(check.detail()).isTrue();
            RunLog log = runLogs(fleet, 3);
            assertThat(log.overlap()).isEmpty();
            assertThat(log.intervals())
                    .as("never stood still for the migration that failed")
                    .noneMatch(interval -> interval.host().equals("host-2"));

            Ended nowhere = godwit(client, "evacuate", "host-3");
            assertThat(nowhere.exitCode()).as(nowhere.stderr()).isEqualTo(1);
            assertThat(nowhere.stderr()).contains("vm-1").contains("host-1").contains("cordoned");
        }
    }

    @Test
    void aSourceThatDiesTakesItsVmsAlongAndTheCoordinatorSaysWhich() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = evacuatingSlowly(fleet, 2);
            preCopying(client);
            fleet.kill("host-1");
            EvacuationView ended = await(() -> evacuations(client).getFirst(), FleetIT::ended);
            assertThat(ended.state()).isEqualTo("FAILED");
            EvacuationView.VmRow row = ended.vms().getFirst();
            assertThat(row.state()).isEqualTo("LOST");
            assertThat(row.reason())
                    .isPresent()
                    .get()
                    .asString()
                    .contains("host-1")
                    .contains("host host-1's agent is gone, and the VM with it");
            VmView vm = await(
                    () -> client.view(client.get(ApiClient.path("vms", "vm-1")), VmView.class),
                    view -> view.state().equals("LOST"));
            assertThat(vm.host()).contains("host-1");
            HostView host = client.view(client.get(ApiClient.path("hosts", "host-1")), HostView.class);
            assertThat(host.state()).isEqualTo("DOWN");
            await(
                    () -> client.view(client.get(ApiClient.path("hosts", "host-2")), HostView.class),
                    view -> view.inventory().isPresent()
                            && view.inventory().get().vms().isEmpty());
            assertThat(runLogs(fleet, 2).intervals())
                    .as("half a VM never ran")
                    .noneMatch(interval -> interval.host().equals("host-2"));
        }
    }

    @Test
    void aCoordinatorThatIsKilledInPreCopyCarriesOnAfterItsRestartAndNoVmNotices() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = evacuatingSlowly(fleet, 2);
            String migration = preCopying(client).id();
            fleet.kill("coordinator");
            fleet.restart("coordinator");
            EvacuationView ended = await(() -> evacuations(client).getFirst(), FleetIT::ended);
            assertThat(ended.state()).as(ended.toString()).isEqualTo("COMPLETED");
            assertThat(ended.vms().getFirst().migrations())
                    .as("nothing was started again")
                    .containsExactly(migration);
            GuestCheck check = client.view(client.post(ApiClient.path("vms", "vm-1", "check"), null), GuestCheck.class);
            assertThat(check.holds()).as(check.detail()).isTrue();
            RunLog log = runLogs(fleet, 2);
            assertThat(log.overlap()).isEmpty();
            assertThat(log.staleEpoch()).isEmpty();
        }
    }

    @Test
    void withThreeCoordinatorsOneThatIsKilledIsCarriedOnForByTheOthers() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = fleet.start(new DemoOptions(2, 1, SLOW_MEMORY, "auto", 3));
            slowEvacuation(client, 2);
            String migration = preCopying(client).id();
            // the founder: it has the singletons, and a third of the shards
            fleet.kill("coordinator-1");
            EvacuationView ended = await(() -> evacuations(client).getFirst(), FleetIT::ended);
            assertThat(ended.state()).as(ended.toString()).isEqualTo("COMPLETED");
            assertThat(ended.vms().getFirst().migrations())
                    .as("nothing was started again")
                    .containsExactly(migration);
            fleet.restart("coordinator-1");
            GuestCheck check = client.view(client.post(ApiClient.path("vms", "vm-1", "check"), null), GuestCheck.class);
            assertThat(check.holds()).as(check.detail()).isTrue();
            RunLog log = runLogs(fleet, 2);
            assertThat(log.overlap()).isEmpty();
            assertThat(log.staleEpoch()).isEmpty();
        }
    }

    @Test
    void anAgentThatStoodStillForTooLongJoinsAnewInTheSameProcessAndItsGuestsRunOn() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = fleet.start(new DemoOptions(1, 1, 64 * MIB, "auto"));
            await(() -> hostState(client), "UP"::equals);
            create(client, "vm-1 --memory 64MiB --fill --working-set 16MiB --dirty-rate 4MiB/s");
            long process = fleet.pid("host-1");
            fleet.signal("host-1", false);
            try {
                await(() -> hostState(client), "DOWN"::equals);
            } finally {
                fleet.signal("host-1", true);
            }
            await(
                    () -> Files.readString(fleet.log("host-1")),
                    said -> said.contains("this node leaves its actor system"));
            await(() -> hostState(client), "UP"::equals);
            VmView vm = await(
                    () -> client.view(client.get(ApiClient.path("vms", "vm-1")), VmView.class),
                    view -> view.state().equals("RUNNING"));
            assertThat(vm.epoch()).isEqualTo(1);
            assertThat(fleet.pid("host-1")).isEqualTo(process);
            assertThat(ProcessHandle.of(process).map(ProcessHandle::isAlive)).contains(true);
            assertThat(Files.readString(fleet.runLog("host-1")))
                    .as("it was not stopped, nor started again")
                    .containsOnlyOnce("vm-1 RUN 1")
                    .doesNotContain("STOP");
            // which stops it for a moment
            GuestCheck check = client.view(client.post(ApiClient.path("vms", "vm-1", "check"), null), GuestCheck.class);
            assertThat(check.holds()).as(check.detail()).isTrue();
        }
    }

    private static String hostState(ApiClient client) {
        return hosts(client).stream().findFirst().map(HostView::state).orElse("");
    }

    @Test
    void aGuestThatOutrunsTheWireClimbsItsLadderAndOneWithTooMuchPinnedMemoryNeverStops() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = fleet.start(new DemoOptions(2, 3, 128 * MIB, "auto"));
            await(
                    () -> hosts(client),
                    seen -> seen.stream()
                                    .filter(host -> host.inventory().isPresent())
                                    .count()
                            == 2);
            create(
                    client,
                    "pinned --memory 256MiB --fill --budget 10ms --device gpu,state=1MiB,pinned=128MiB,dma=16MiB/s");
            create(client, "hot --memory 128MiB --fill --budget 5s --working-set 64MiB --dirty-rate 300MiB/s");

            Ended refused = godwit(client, "migrate", "pinned", "--to", "host-2");
            assertThat(refused.exitCode()).as(refused.toString()).isEqualTo(1);
            assertThat(refused.stderr())
                    .contains("the standstill cannot be shorter than", "the limit is 10 ms", "128.0 MiB pinned");

            String slow = "migrate hot --to host-2 --no-verify --bandwidth 20MiB/s --downtime-limit 10ms";
            Ended late = godwit(client, (slow + " --precopy-deadline 2s").split(" "));
            assertThat(late.exitCode()).as(late.toString()).isEqualTo(1);
            assertThat(late.stderr())
                    .contains(
                            "did not converge within 2 s",
                            "would be needed, the limit is 10 ms",
                            "of RAM",
                            "the guest dirties");
            assertThat(Files.readString(fleet.runLog("host-1")))
                    .as("neither has ever stood still")
                    .contains(" pinned RUN 1", " hot RUN 1")
                    .doesNotContain("STOP");

            List<String> climb = new ArrayList<>(List.of((slow + " --watch --convergence").split(" ")));
            climb.add("wait:1s, throttle:50%:1s, downtime:budget");
            Ended climbed = godwit(client, climb.toArray(String[]::new));
            assertThat(climbed.exitCode()).as(climbed.toString()).isZero();
            String watched = climbed.stdout() + climbed.stderr();
            Ended history = godwit(client, "vm", "show", "hot", "--history");
            for (String step : List.of("wait", "throttle:50%", "downtime:budget")) {
                assertThat(watched).contains("hot: " + step + ": the guest dirties");
                assertThat(history.stdout()).containsPattern(step + " +the guest dirties");
            }
            GuestCheck check = client.view(client.post(ApiClient.path("vms", "hot", "check"), null), GuestCheck.class);
            assertThat(check.holds()).as(check.detail()).isTrue();
        }
    }

    @Test
    void mistakesGetOneClearLineAndTheRightExitCode() throws Exception {
        try (DemoFleet fleet = fleet()) {
            ApiClient client = fleet.start(new DemoOptions(1, 1, 64 * MIB, "soft"));
            oneLine(godwit(client, "host", "show", "host-9"), 2, "host-9");
            oneLine(godwit(client, "vm", "create", "vm-1", "--memory", "3MiB"), 2, "2 MiB");
            oneLine(godwit("--coordinator", "http://127.0.0.1:1", "host", "list"), 3, "127.0.0.1:1");
            oneLine(agent("host-1"), 1, "in use by process");
            fleet.kill("host-1");
            oneLine(agent("other"), 1, "belongs to host 'host-1'");
        }
    }

    private void create(ApiClient client, String vm) throws IOException, InterruptedException {
        Ended created = godwit(client, ("vm create --host host-1 " + vm).split(" "));
        assertThat(created.exitCode()).as(created.toString()).isZero();
    }

    /** An agent that is started on the data folder of host-1. */
    private Ended agent(String id) throws IOException, InterruptedException {
        return godwit(
                "host",
                "--id",
                id,
                "--seed",
                "127.0.0.1:1",
                "--memory",
                "1GiB",
                "--data",
                folder.resolve("host-1").toString());
    }

    private static void oneLine(Ended ended, int exitCode, String naming) {
        assertThat(ended.stderr().strip().lines()).as(ended.toString()).hasSize(1);
        assertThat(ended.stderr()).contains(naming);
        assertThat(ended.exitCode()).as(ended.toString()).isEqualTo(exitCode);
    }

    /** What a command said and how it ended. */
    record Ended(int exitCode, String stdout, String stderr) {}

    private Ended godwit(ApiClient client, String... arguments) throws IOException, InterruptedException {
        List<String> all = new ArrayList<>(List.of("--coordinator", client.url()));
        all.addAll(List.of(arguments));
        return godwit(all.toArray(String[]::new));
    }

    private Ended godwit(String... arguments) throws IOException, InterruptedException {
        return godwit(folder, arguments);
    }

    /** Runs a command as an operator does; its output goes to files in {@code folder}. */
    static Ended godwit(Path folder, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(JVM_OPTIONS);
        command.add("-Dgodwit.jvm-options=" + DIST.resolve("jvm.options").toAbsolutePath());
        command.addAll(List.of("-cp", CLASS_PATH, "io.godwit.launch.Main"));
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile(folder, "out", "");
        Path err = Files.createTempFile(folder, "err", "");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        return new Ended(process.waitFor(), Files.readString(out), Files.readString(err));
    }

    private DemoFleet fleet() {
        return fleet(folder);
    }

    static DemoFleet fleet(Path folder) {
        return new DemoFleet(folder, DemoSettings.of(ConfigFactory.load()), JVM_OPTIONS, CLASS_PATH);
    }

    /** One VM on host-1, and an evacuation of it so slow that there is time to kill somebody in pre-copy. */
    private static ApiClient evacuatingSlowly(DemoFleet fleet, int hosts) throws IOException, InterruptedException {
        ApiClient client = fleet.start(new DemoOptions(hosts, 1, SLOW_MEMORY, "auto"));
        slowEvacuation(client, hosts);
        return client;
    }

    private static void slowEvacuation(ApiClient client, int hosts) {
        await(
                () -> hosts(client),
                seen -> seen.stream()
                                .filter(host -> host.state().equals("UP")
                                        && host.inventory().isPresent())
                                .count()
                        == hosts);
        client.post(
                ApiClient.path("vms"),
                new VmBody(
                        "vm-1",
                        "host-1",
                        "auto",
                        SLOW_MEMORY,
                        1,
                        new VmBody.Workload(16 * MIB, 4 * MIB, true),
                        List.of(new VmBody.Device("gpu0", "gpu", null, 4 * MIB, null, MIB, MIB, null)),
                        null));
        client.post(
                ApiClient.path("evacuations"),
                new EvacuationBody(List.of("host-1"), false, new OptionsBody(null, false, SLOW, null)));
    }

    private static MigrationView preCopying(ApiClient client) {
        return await(
                () -> {
                    List<String> ids = evacuations(client).getFirst().vms().stream()
                            .flatMap(row -> row.migrations().stream())
                            .toList();
                    return ids.isEmpty() ? null : migration(client, ids.getFirst());
                },
                view -> view != null
                        && view.phase() == MigrationPhase.PRE_COPY
                        && view.stats().transferredBytes() > 8 * MIB);
    }

    static List<EvacuationView> evacuations(ApiClient client) {
        List<EvacuationView> all = new ArrayList<>();
        client.get(ApiClient.path("evacuations"))
                .path("evacuations")
                .forEach(node -> all.add(client.view(node, EvacuationView.class)));
        return all;
    }

    static boolean ended(EvacuationView view) {
        return view.state().equals("COMPLETED") || view.state().equals("FAILED");
    }

    static List<HostView> hosts(ApiClient client) {
        List<HostView> all = new ArrayList<>();
        client.get(ApiClient.path("hosts")).path("hosts").forEach(node -> all.add(client.view(node, HostView.class)));
        return all;
    }

    static MigrationView migration(ApiClient client, String id) {
        return client.view(client.get(ApiClient.path("migrations", id)), MigrationView.class);
    }

    static RunLog runLogs(DemoFleet fleet, int hosts) throws IOException {
        RunLog log = new RunLog();
        for (int i = 1; i <= hosts; i++) {
            if (Files.exists(fleet.runLog("host-" + i))) {
                log.read("host-" + i, fleet.runLog("host-" + i));
            }
        }
        return log;
    }

    static <T> T await(Callable<T> look, Predicate<T> good) {
        return Awaitility.await()
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(100))
                .until(look, good);
    }
}
