package io.godwit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.typesafe.config.ConfigFactory;
import io.godwit.api.ApiFixture;
import io.godwit.api.FakeCoordinator;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuNic;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CommandsTest {
    private ApiFixture api;

    private record Ran(int exit, String out, String err) {}

    @BeforeAll
    void serve() {
        api = new ApiFixture();
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "vm create x --memory 12XB | --memory | '12XB' is not a size",
                "vm create x --memory 64MiB --dirty-rate fast | --dirty-rate | 20MiB/s",
                "vm create x --memory 64MiB --budget 3 | --budget | 300ms",
                "vm create x --memory 3MiB | memoryBytes | multiple of 2 MiB",
                "vm create x --memory 64MiB --device gpu,size=1MiB | --device | pinned",
                "vm create x --memory 64MiB --device gpu,state=1MB | state | '1MB' is not a size",
                "vm create x | --memory | Missing required option",
                "vm create x --memory 64MiB --host nope | nope | no host",
                "vm show nope | nope | no VM",
                "host show nope | nope | no host",
                "host cordon nope | nope | no host",
                "migrate nope | nope | no VM",
                "migrate vm-a --to nope | nope | no host",
                "evacuate nope | nope | no host",
                "evacuate nope --dry-run | nope | no host",
                "migration show nope | nope | no migration",
                "host list --output xml | --output | table, json or yaml",
                "frobnicate | unknown command 'frobnicate' | expected one of",
                "vm frobnicate | unknown command 'frobnicate' | expected one of list, show, create",
                "vm list --all | unknown option '--all' | godwit vm list --help",
                "vm show vm-a vm-b | unexpected 'vm-b' | godwit vm show --help",
                "vm owner nope | nope | no VM",
                "migrate vm-a --bandwidth 12 | bandwidthBytesPerSecond | 1 MiB (1048576) or more",
                "vm create x --memory 64MiB --container name=c9 | containers[0].name | no containers for a VM without",
                "vm create x --memory 64MiB --device gpu --container name=c9 | 'c9', which no device names | expected default",
                "vm create x --memory 64MiB --container viommu=true | no name | such as name=c0",
                "vm create x --memory 64MiB --container name=c0,viommu=yes | 'yes' | expected true or false",
                "vm create x --memory 64MiB --container name=c0,size=1 | 'size=1' | name, viommu, remap",
                "vm create x --memory 64MiB --device gpu --container name=default,remap=1MiB/s | remap | viommu: true",
                "vm create x --memory 64MiB --ha always | 'ha' is 'always' | expected one of leave, restart",
                "vm create x --memory 64MiB --convergence harsh | 'convergence' | expected one of firm",
                "migrate vm-a --convergence harsh | 'options.convergence' | expected one of firm, forced, gentle, none",
                "migrate vm-a --convergence wait:soon | step 1 'wait:soon' | expected a time in ms or s",
                "evacuate host-1 --dry-run --convergence harsh | 'harsh' | expected one of firm",
                "migrate vm-a --precopy-deadline 5 | --precopy-deadline | 300ms",
                "migration set m-1 | nothing to change | --downtime-limit, --bandwidth or both",
                "migration set nope --bandwidth 1GiB/s | nope | no migration",
                "migration set m-1 --bandwidth 12 | bandwidthBytesPerSecond | 1 MiB (1048576) or more",
                "migration set m-1 --downtime-limit 0ms | downtimeLimitMs | expected 1 or more",
                "vm show nope --history | nope | no vm",
                "vm create x --memory 64MiB --disk path=/a | --disk is for QEMU guests | --driver qemu",
                "vm create x --memory 64MiB --driver kvm --adopt /a | --adopt is for QEMU guests | not kvm",
                "vm create x --memory 64MiB --driver qemu --disk format=raw | no path | such as path=/srv/vm.raw",
                "vm create x --memory 64MiB --driver qemu --disk path=a.raw | qemu.disks[0].path | an absolute path",
                "vm create x --memory 64MiB --driver qemu --disk path=/a,format=vmdk | 'vmdk' | raw, qcow2",
                "vm create x --memory 64MiB --driver qemu --disk path=/a,shared=yes | 'yes' | expected true or false",
                "vm create x --memory 64MiB --driver qemu --disk path=/a,size=1 | 'size=1' | path, format, shared",
                "vm create x --memory 64MiB --driver qemu --nic model=e1000 | no backend | backend=user",
                "vm create x --memory 64MiB --driver qemu --nic mac=52:54,backend=user | qemu.nics[0].mac | six pairs",
                "vm create x --memory 64MiB --driver qemu --nic model=a/b,backend=user | qemu.nics[0].model | a device of",
                "vm create x --memory 64MiB --driver qemu --machine q35,accel=kvm | qemu.machine | such as q35",
                "vm create x --memory 64MiB --driver qemu --accel hvf | qemu.accelerator | auto, kvm, tcg",
                "vm create x --memory 64MiB --driver qemu --initrd /i | qemu.initrd | qemu.kernel with it",
                "vm create x --memory 64MiB --driver qemu --append quiet | qemu.append | qemu.kernel with it",
                "vm create x --memory 64MiB --driver qemu --workload stress | 'stress' | boot-sector",
                "vm create x --memory 64MiB --driver qemu --workload boot-sector --kernel /k | qemu.workload | no qemu.kernel",
                "vm create x --memory 64MiB --driver qemu --workload boot-sector --adopt /q | qemu.workload | to be adopted",
                "vm create x --memory 64MiB --driver qemu --working-set 8MiB | workingSetBytes | qemu.workload boot-sector",
                "vm create x --memory 64MiB --driver qemu --dirty-rate 8MiB/s | dirtyBytesPerSecond | qemu.workload boot-sector",
                "vm create x --memory 64MiB --driver qemu --workload boot-sector --working-set 62MiB | 65011712 | 63963136",
                "vm create x --memory 64MiB --driver qemu --workload boot-sector --fill | workload.fill | expected false",
                "vm create x --memory 64MiB --driver qemu --device gpu | gpu0 | models of the native guests",
                "vm create x --memory 64MiB --driver xen | 'xen' | auto, kvm, soft, qemu",
                "vm | vm | list"
            })
    void answersBadInputWithOneLineAndExitCodeTwo(String arguments, String named, String expected) {
        Ran ran = run(arguments.split(" "));
        assertThat(ran.exit()).isEqualTo(ExitCode.USAGE);
        assertThat(ran.err().strip().lines()).hasSize(1);
        assertThat(ran.err()).contains(named).contains(expected);
        assertThat(ran.out()).isEmpty();
    }

    @Test
    void saysThatNoCoordinatorAnswersAndExitsWithThree() throws Exception {
        int free;
        try (ServerSocket socket = new ServerSocket(0)) {
            free = socket.getLocalPort();
        }
        Ran ran = run("--coordinator", "http://127.0.0.1:" + free, "host", "list");
        assertThat(ran.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(ran.err().strip().lines()).hasSize(1);
        assertThat(ran.err()).contains("127.0.0.1:" + free, "connection refused");
    }

    @Test
    void takesGlobalOptionsBeforeAndAfterTheCommand() throws Exception {
        JsonNode before = new ObjectMapper()
                .readTree(run("--output", "json", "host", "list").out());
        JsonNode after = new ObjectMapper()
                .readTree(run("host", "list", "--output", "json").out());
        assertThat(before).isEqualTo(after);
        assertThat(before.path("hosts")).hasSize(2);
        assertThat(new YAMLMapper().readTree(run("host", "list", "-o", "yaml").out()))
                .isEqualTo(before);
    }

    @Test
    void listsHostsInAlignedColumns() {
        Ran ran = run("host", "list");
        assertThat(ran.exit()).isEqualTo(ExitCode.OK);
        assertThat(ran.out().lines().toList().get(0))
                .matches("HOST +STATE +CORDONED +AGE +VMS +USED +MEMORY +DEVICES +DRIVERS");
        assertThat(ran.out().lines().toList().get(1)).matches("host-1 +UP +no +12 ms +0 +0 B +1 GiB +gpu 0/2 +soft");
    }

    @Test
    void createsAVmFromItsOptionsAndDestroysIt() {
        Ran created = run(
                "vm",
                "create",
                "vm-c",
                "--memory",
                "64MiB",
                "--working-set",
                "8MiB",
                "--dirty-rate",
                "2MiB/s",
                "--fill",
                "--device",
                "gpu,state=16MiB,pinned=8MiB,dma=4MiB/s",
                "--device",
                "nic,name=eth",
                "--budget",
                "1s");
        assertThat(created.err()).isEmpty();
        assertThat(created.exit()).isEqualTo(ExitCode.OK);
        var spec = api.coordinator.vms.get("vm-c");
        assertThat(spec.memoryBytes()).isEqualTo(64L << 20);
        assertThat(spec.blackoutBudgetMs()).isEqualTo(1000);
        assertThat(spec.workload().fill()).isTrue();
        assertThat(spec.devices().get(0).name()).isEqualTo("gpu0");
        assertThat(spec.devices().get(0).pinnedBytes()).isEqualTo(8L << 20);
        assertThat(spec.devices().get(1).name()).isEqualTo("eth");
        assertThat(run("vm", "create", "vm-c", "--memory", "64MiB").exit()).isEqualTo(ExitCode.FAILED);
        assertThat(run("vm", "destroy", "vm-c").exit()).isEqualTo(ExitCode.OK);
    }

    @Test
    void exitsWithOneNamingTheVmsThatDidNotMove() {
        EvacuationView.VmRow moved = api.coordinator.outcome.get();
        api.coordinator.outcome.set(new EvacuationView.VmRow(
                "vm-a", "host-1", Optional.empty(), "UNPLACEABLE", List.of(), Optional.of("no host has 2 gpu free")));
        try {
            for (String[] command : List.of(
                    new String[] {"evacuate", "host-1"},
                    new String[] {"evacuate", "host-1", "--watch"},
                    new String[] {"evacuate", "host-1", "--dry-run"})) {
                Ran ran = run(command);
                assertThat(ran.exit()).isEqualTo(ExitCode.FAILED);
                assertThat(ran.err()).contains("vm-a").contains("no host has 2 gpu free");
            }
        } finally {
            api.coordinator.outcome.set(moved);
        }
    }

    @Test
    void saysWhichVmsOfOtherHostsMakeRoomAndForbidsItWhenAsked() {
        EvacuationView.VmRow moved = api.coordinator.outcome.get();
        api.coordinator.outcome.set(new EvacuationView.VmRow(
                "vm-x",
                "host-2",
                Optional.of("host-3"),
                "MOVED",
                List.of("m-1"),
                Optional.of("the link broke"),
                List.of("vm-a", "vm-b")));
        try {
            assertThat(run("evacuate", "host-1", "--dry-run").out())
                    .contains("makes room for vm-a, vm-b; the link broke");
            assertThat(api.coordinator.lastMakeRoom).isTrue();
            Ran ran = run("evacuate", "host-1", "--no-make-room");
            assertThat(ran.exit()).isEqualTo(ExitCode.OK);
            assertThat(ran.out())
                    .contains("makes room for vm-a, vm-b; the link broke")
                    .contains("0 of 0 VMs moved, 1 of other hosts to make room, ");
            assertThat(api.coordinator.lastMakeRoom).isFalse();
            assertThat(run("evacuation", "show", "e-1", "--output", "json").out())
                    .containsPattern("\"makesRoomFor\" ?: ?\\[ ?\"vm-a\", ?\"vm-b\" ?]");
        } finally {
            api.coordinator.outcome.set(moved);
        }
    }

    @Test
    void waitsForTheEndOfAnEvacuationAndPrintsIt() {
        Ran ran = run("evacuate", "host-1", "--no-verify", "--downtime-limit", "80ms");
        assertThat(ran.exit()).isEqualTo(ExitCode.OK);
        assertThat(ran.out()).contains("vm-a").contains("1 of 1 VMs moved");
        assertThat(api.coordinator.lastOptions.get().verify()).isFalse();
        assertThat(api.coordinator.lastOptions.get().downtimeLimitMs()).isEqualTo(80);
    }

    @Test
    @Timeout(60)
    void returnsOnceAMigrationIsUnderWayWhenItIsNotToWait() {
        api.coordinator.vms.put("vm-slow", FakeCoordinator.spec("vm-slow"));
        try {
            Ran ran = run("migrate", "vm-slow", "--no-wait");
            assertThat(ran.exit()).isEqualTo(ExitCode.OK);
            assertThat(ran.out()).containsPattern("phase +PRE_COPY");
        } finally {
            api.coordinator.vms.remove("vm-slow");
        }
    }

    @Test
    void asksForAConvergencePolicyAndADeadline() {
        run("evacuate", "host-1", "--convergence", "wait:10s, give-up", "--precopy-deadline", "600s");
        assertThat(api.coordinator.lastOptions.get().convergence()).isEqualTo("wait:10s, give-up");
        assertThat(api.coordinator.lastOptions.get().precopyDeadlineMs()).isEqualTo(600_000);
        run("migrate", "vm-a", "--convergence", "firm");
        assertThat(api.coordinator.lastOptions.get().convergence()).isEqualTo("firm");
        assertThat(api.coordinator.lastOptions.get().precopyDeadlineMs()).isZero();
        run("migrate", "vm-a");
        assertThat(api.coordinator.lastOptions.get().convergence()).isEmpty();
    }

    @Test
    void createsAVmWithAVirtualIommuAndAConvergencePolicy() {
        Ran created = run(
                "vm",
                "create",
                "vm-v",
                "--memory",
                "64MiB",
                "--device",
                "vnic,container=c0,pinned=4MiB",
                "--container",
                "name=c0,viommu=true,remap=64MiB/s",
                "--convergence",
                "firm",
                "--ha",
                "restart");
        assertThat(created.err()).isEmpty();
        assertThat(created.out()).containsPattern("ha +restart");
        assertThat(created.out()).contains("c0 (vIOMMU, remapped at 64 MiB/s)").containsPattern("convergence +firm");
        VmSpec spec = api.coordinator.vms.remove("vm-v");
        assertThat(spec.container("c0")).isEqualTo(new ContainerSpec("c0", true, 64 << 20));
        assertThat(spec.convergence()).isEqualTo("firm");
        assertThat(spec.restarts()).isTrue();
        assertThat(spec.devices().getFirst().model()).isEqualTo("vnic");
    }

    @Test
    void createsAQemuGuestFromItsOptions() {
        Ran created = run(
                "vm",
                "create",
                "vm-q",
                "--memory",
                "64MiB",
                "--driver",
                "qemu",
                "--machine",
                "q35",
                "--accel",
                "tcg",
                "--disk",
                "path=/srv/a.qcow2,format=qcow2,shared=true",
                "--disk",
                "path=/srv/b.raw",
                "--nic",
                "mac=52:54:00:12:34:56,backend=tap,ifname=tap0,script=no",
                "--nic",
                "backend=user",
                "--capability",
                "multifd",
                "--qemu-arg",
                "-device",
                "--qemu-arg",
                "virtio-rng-pci",
                "--workload",
                "boot-sector",
                "--working-set",
                "8MiB",
                "--dirty-rate",
                "2MiB/s");
        assertThat(created.err()).isEmpty();
        assertThat(created.out())
                .containsPattern("machine +q35")
                .containsPattern("disk +/srv/a.qcow2 \\(qcow2, shared\\)")
                .containsPattern("disk +/srv/b.raw \\(raw, on its host alone\\)");
        VmSpec spec = api.coordinator.vms.remove("vm-q");
        assertThat(spec.driver()).isEqualTo("qemu");
        assertThat(spec.qemu().orElseThrow())
                .isEqualTo(new QemuSpec(
                        "q35",
                        "tcg",
                        List.of(new QemuDisk("/srv/a.qcow2", "qcow2", true), new QemuDisk("/srv/b.raw", "raw", false)),
                        List.of(
                                new QemuNic("virtio-net-pci", "tap,ifname=tap0,script=no", "52:54:00:12:34:56"),
                                new QemuNic("virtio-net-pci", "user", "")),
                        Optional.empty(),
                        Optional.empty(),
                        "",
                        List.of("multifd"),
                        List.of("-device", "virtio-rng-pci"),
                        Optional.empty(),
                        QemuSpec.BOOT_SECTOR));
        run("vm", "create", "vm-p", "--memory", "64MiB", "--driver", "qemu");
        assertThat(api.coordinator.vms.remove("vm-p").qemu()).contains(QemuSpec.DEFAULT);
        run("vm", "create", "vm-o", "--memory", "64MiB", "--driver", "qemu", "--adopt", "/run/vm-o.qmp");
        assertThat(api.coordinator.vms.remove("vm-o").qemu().orElseThrow().adopt())
                .contains("/run/vm-o.qmp");
    }

    @Test
    void changesTheLimitsOfAMigration() {
        api.coordinator.migrations.put("m-set", FakeCoordinator.climbed("m-set", "vm-a"));
        Ran set = run("migration", "set", "m-set", "--downtime-limit", "800ms", "--bandwidth", "1GiB/s");
        assertThat(set.exit()).isEqualTo(ExitCode.OK);
        assertThat(set.out()).isEqualTo("migration m-set: downtime 800 ms (may rise to 1000 ms), bandwidth 1 GiB/s\n");
        assertThat(run("migration", "set", "m-set", "--bandwidth", "0").out()).contains("bandwidth unlimited");
        Ran over = run("migration", "set", "m-set", "--downtime-limit", "5s");
        assertThat(over.exit()).isEqualTo(ExitCode.FAILED);
        assertThat(over.err()).contains("m-set").contains("over the blackout budget");
    }

    @Test
    void showsTheStepsAndTheOutlookOfAMigration() {
        api.coordinator.migrations.put("m-show", FakeCoordinator.climbed("m-show", "vm-a"));
        assertThat(run("migration", "show", "m-show").out())
                .containsPattern(
                        "limits +downtime 300 ms \\(may rise to 1000 ms\\), bandwidth unlimited, vCPUs held back 30 %")
                .containsPattern(
                        "outlook +812.0 ms predicted, at least 70.0 ms, of which 20.0 ms are no bytes; not trustworthy")
                .containsPattern("dirtied +CPU 1.1 GiB/s, DMA 100 MiB/s, 64 MiB pinned")
                .containsPattern("bandwidth +900 MiB/s")
                .containsPattern("AT +STEP +REASON")
                .containsPattern("11.0 s +throttle:30% +the guest dirties 1 GiB/s");
    }

    @Test
    void printsEachStepOfAnEvacuationsMigrationsOnce() {
        api.coordinator.migrations.put("m-watch", FakeCoordinator.climbed("m-watch", "vm-a"));
        EvacuationView.VmRow moved = api.coordinator.outcome.get();
        api.coordinator.outcome.set(new EvacuationView.VmRow(
                "vm-a", "host-1", Optional.of("host-2"), "MOVED", List.of("m-gone", "m-watch"), Optional.empty()));
        try {
            assertThat(run("evacuate", "host-1", "--watch").err().lines())
                    .containsExactly(
                            "vm-a MOVED -> host-2",
                            "vm-a: wait: the guest dirties 2 GiB/s",
                            "vm-a: throttle:30%: the guest dirties 1 GiB/s");
        } finally {
            api.coordinator.outcome.set(moved);
        }
    }

    @Test
    void printsTheStepsOfAWatchedMigration() {
        api.coordinator.vms.put("vm-bad", FakeCoordinator.spec("vm-bad"));
        try {
            assertThat(run("migrate", "vm-bad", "--watch").err().lines())
                    .startsWith(
                            "vm-bad FAILED -> host-2: the link broke", "vm-bad: give-up: the guest dirties 2 GiB/s");
        } finally {
            api.coordinator.vms.remove("vm-bad");
        }
    }

    @Test
    void showsWhatTheDevicesOfAVmSaw() throws Exception {
        Ran ran = run("vm", "show", "vm-a", "--history");
        assertThat(ran.exit()).isEqualTo(ExitCode.OK);
        assertThat(ran.out().lines().toList().getFirst()).matches("SINCE +OWNER +EPOCH +WHY");
        assertThat(ran.out())
                .containsPattern("2026-09-21 14:13:20.123Z +host-1 +1 +created")
                .containsPattern("2026-09-21 14:14:20.000Z +nobody +1 +fenced off: it was off")
                .contains("\nm-7: host-1 -> host-2, PRE_COPY\n")
                .containsPattern("DEVICE gpu0 \\(gpu/1\\) +STATES +TIMES +FAILURE")
                .containsPattern("SAVE_SETUP +RUNNING -> PRE_COPY +1 +-")
                .containsPattern("SAVE_LIVE_PENDING +PRE_COPY +7 +it hung")
                .contains("throttle:30%")
                .contains("on host-2 now: host host-2 did not answer within 50000 ms");
        JsonNode json = new ObjectMapper()
                .readTree(run("vm", "show", "vm-a", "--history", "-o", "json").out());
        assertThat(json.path("migrations").get(0).path("devices").get(0).path("hooks"))
                .hasSize(2);
        assertThat(new YAMLMapper()
                        .readTree(run("vm", "show", "vm-a", "--history", "-o", "yaml")
                                .out()))
                .isEqualTo(json);
    }

    @Test
    void tellsAFailedMigrationByExitCodeAndReason() {
        api.coordinator.vms.put("vm-bad", FakeCoordinator.spec("vm-bad"));
        try {
            Ran ran = run("migrate", "vm-bad", "--to", "host-2");
            assertThat(ran.exit()).isEqualTo(ExitCode.FAILED);
            assertThat(ran.err()).contains("vm-bad").contains("the link broke");
            assertThat(run("migrate", "vm-a").exit()).isEqualTo(ExitCode.OK);
            assertThat(run("migrate", "vm-a", "--wait").exit()).isEqualTo(ExitCode.OK);
            assertThat(run("migrate", "vm-a", "--no-wait").exit()).isEqualTo(ExitCode.OK);
        } finally {
            api.coordinator.vms.remove("vm-bad");
        }
    }

    @Test
    void asksTheNextCoordinatorWhenOneDoesNotAnswer() {
        Ran ran = run("--coordinator", "http://127.0.0.1:1," + api.url(), "host", "list");
        assertThat(ran.exit()).as(ran.err()).isEqualTo(ExitCode.OK);
        Ran none = run("--coordinator", "http://127.0.0.1:1,http://127.0.0.1:2", "host", "list");
        assertThat(none.exit()).isEqualTo(ExitCode.UNREACHABLE);
        assertThat(none.err()).contains("http://127.0.0.1:1/", "http://127.0.0.1:2/");
    }

    @Test
    void fencesAHostOnlyOnAPersonsWordAndSaysWhatBecameOfEachVm() {
        Ran ran = run("host", "fence", "host-1", "--confirmed-down");
        assertThat(ran.out()).contains("vm-a", "RESTARTED", "host-2", "vm-b", "LEFT", "fits nowhere");
        assertThat(ran.exit()).as("one could not be restarted").isEqualTo(ExitCode.FAILED);
        assertThat(run("host", "fence", "host-1").exit()).isEqualTo(ExitCode.USAGE);
        assertThat(run("host", "fence", "nope", "--confirmed-down").exit()).isEqualTo(ExitCode.USAGE);
    }

    private Ran run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        AtomicLong now = new AtomicLong();
        Surroundings around = new Surroundings(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                CliSettings.of(ConfigFactory.load()),
                () -> now.addAndGet(Duration.ofSeconds(1).toNanos()),
                time -> {},
                action -> () -> {});
        // picocli takes the first of two: what a test names itself comes before the fixture's address
        String[] all = arguments;
        if (!List.of(arguments).contains("--coordinator")) {
            all = new String[arguments.length + 2];
            all[0] = "--coordinator";
            all[1] = api.url();
            System.arraycopy(arguments, 0, all, 2, arguments.length);
        }
        int exit = GodwitCommand.commandLine(new Shell(around)).execute(all);
        return new Ran(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
