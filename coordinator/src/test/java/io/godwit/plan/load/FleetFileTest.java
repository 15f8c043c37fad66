package io.godwit.plan.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Reserve;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.SlotNeed;
import io.godwit.plan.schedule.Scheduler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FleetFileTest {
    private static final String FLEET = """
            version: 1
            hosts:
            - name: a
              memoryMiB: 8192
              cores: 8
              overcommit: 2.5
              hugepagesMiB: 1024
              numaNodesMiB: [4096, 4096]
              devices: {nic: 2}
              sharedDevices: {gpu: [1000, 1000]}
              cpuModels: [icelake]
              domain: rack1
              tags: [ssd]
              maxOutgoing: 2
              bootSeconds: 1.5
              nicMbit: 10000
              uplink: tor1
            - {name: b, memoryMiB: 8192, numaNodesMiB: [4096, 4096], devices: {nic: 2}, sharedDevices: {gpu: [1000]},
               cpuModels: [icelake, skylake], domain: rack2, nicMbit: 10000, uplink: tor2, maxIncoming: 1}
            - {name: c, memoryMiB: 8192, closed: is cordoned, domain: rack2, nicMbit: 1000, uplink: tor2}
            network:
              switches: [{name: core, mbit: 40000}]
              links: [{a: tor1, b: core, mbit: 20000}, {a: tor2, b: core, mbit: 20000}]
              routes: [{from: a, to: b, via: [tor1, core, tor2]}]
            vms:
            - name: x
              host: a
              memoryMiB: 2048
              vcpus: 4
              numaNodes: 1
              numaNodesHeld: [1]
              devices: {nic: 1}
              sharedDevices: {gpu: {amount: 400, held: [0]}}
              usedMiB: 1000
              hotMiB: 100
              hotSeconds: 2
              coldMiBPerSecond: 5
              pinnedMiB: 10
              blackoutBudgetMs: 400
              priority: 3
              onlyTags: []
              bannedHosts: [c]
              cpuModel: icelake
            - {name: y, host: b, memoryMiB: 512, immovable: has a disk here}
            - {name: z, host: a, memoryMiB: 512, hugepages: true, onlyHosts: [a, c]}
            rules:
            - apart: [x, y]
              hard: false
            - before: [x, z]
            - together: [x, y]
            reserves:
            - {hosts: 1}
            - {domain: rack2, percent: 10, resources: [memory, nic]}
            drain: {domains: [rack1]}
            destinations: {x: b}
            deadlineSeconds: 3600
            """;

    @TempDir
    Path folder;

    private Path file(String text) throws IOException {
        return Files.writeString(folder.resolve("fleet.yaml"), text);
    }

    @Test
    void readsAllThatAFleetMayHave() throws IOException {
        PlanCase plan = FleetFile.read(file(FLEET));
        PlanHost a = plan.hosts().getFirst();
        assertThat(a.capacity()).isEqualTo(Map.of("memory", 8192L, "cpu", 20L, "hugepages", 1024L, "nic", 2L));
        assertThat(a.pools()).isEqualTo(Map.of("numa", List.of(4096L, 4096L), "gpu", List.of(1000L, 1000L)));
        assertThat(a.tags()).containsExactlyInAnyOrder("ssd", "cpu model icelake");
        assertThat(List.of(a.maxOutgoing(), a.maxIncoming())).containsExactly(2, PlanHost.UNLIMITED);
        assertThat(a.bootMs()).isEqualTo(1500);
        assertThat(plan.hosts().getLast().closed()).isEqualTo("is cordoned");
        PlanVm x = plan.vms().getFirst();
        assertThat(x.demand()).isEqualTo(Map.of("memory", 2048L, "cpu", 4L, "nic", 1L));
        assertThat(x.slots()).isEqualTo(Map.of("numa", new SlotNeed(1, 2048), "gpu", new SlotNeed(1, 400)));
        assertThat(x.heldSlots()).isEqualTo(Map.of("numa", List.of(1), "gpu", List.of(0)));
        assertThat(x.ram().hotMb()).isCloseTo(104.8576, within(1e-9));
        assertThat(x.ram().pinnedMb()).isCloseTo(10.48576, within(1e-9));
        assertThat(x.bannedHosts()).containsExactly("c");
        assertThat(x.onlyTags()).containsExactly("cpu model icelake");
        assertThat(plan.vms().getLast().demand()).isEqualTo(Map.of("hugepages", 512L));
        assertThat(plan.rules())
                .containsExactly(
                        new Rule.Apart(List.of("x", "y"), false),
                        new Rule.Before("x", "z"),
                        new Rule.Together(List.of("x", "y"), true));
        assertThat(plan.reserves())
                .containsExactly(
                        new Reserve.HostLoss("", Set.of("memory"), 1),
                        new Reserve.Share("rack2", Set.of("memory", "nic"), 10));
        assertThat(plan.drained()).containsExactly("a");
        assertThat(plan.destinations()).isEqualTo(Map.of("x", "b"));
        assertThat(plan.deadlineMs()).isEqualTo(3_600_000);
        assertThat(plan.network().switches().get("core")).isEqualTo(40_000);
        assertThat(plan.network().routes().getFirst().hops()).hasSize(4);
    }

    @Test
    void jsonSaysTheSame() throws IOException {
        JsonNode tree = new YAMLMapper().readTree(FLEET);
        Path json = Files.writeString(folder.resolve("fleet.json"), tree.toPrettyString());
        assertThat(FleetFile.read(json)).isEqualTo(FleetFile.read(file(FLEET)));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "memoryMiB: 8192 | memoryMiB: much | fleet.yaml:4: field 'hosts[0].memoryMiB': 'much'; expected a whole number from 0",
                "  cores: 8 |   kores: 8 | fleet.yaml:5: field 'hosts[0].kores': unknown; expected one of bootSeconds, closed,",
                "  cores: 8 |   cores: 1e400 | fleet.yaml:5: field 'hosts[0].cores': '1e400'; expected a whole number from 0",
                "  cores: 8 |   memoryMiB: 8 | fleet.yaml:5: field 'memoryMiB' is there twice",
                "overcommit: 2.5 | overcommit: 0.5 | fleet.yaml:6: field 'hosts[0].overcommit': '0.5'; expected a number from 1",
                "version: 1 | version: 2 | fleet.yaml:1: field 'version': '2'; expected 1",
                "name: b | name: a | fleet.yaml:18: field 'name': host 'a' is there twice",
                "  uplink: tor1 |   maxIncoming: 1 | fleet.yaml:16: field 'nicMbit': expected both nicMbit and uplink",
                "tor1, core, tor2 | tor1, tor2 | fleet.yaml:24: field 'via': no link between 'tor1' and 'tor2'",
                "  host: a |   host: q | fleet.yaml:27: field 'host': no host 'q'",
                "numaNodesHeld: [1] | numaNodesHeld: [2] | fleet.yaml:31: field 'numaNodesHeld': 2; host 'a' has 2 of numa",
                "usedMiB: 1000 | usedMiB: 3000 | fleet.yaml:34: field 'usedMiB': 3000.0; expected at most its memory, 2048",
                "bannedHosts: [c] | bannedHosts: [q] | fleet.yaml:42: field 'bannedHosts': no host 'q'",
                "bannedHosts: [c] | bannedHosts: c | fleet.yaml:42: field 'vms[0].bannedHosts': 'c'; expected a list",
                "hugepages: true | hugepages: 1 | fleet.yaml:45: field 'vms[2].hugepages': '1'; expected true or false",
                "before: [x, z] | before: [x] | fleet.yaml:49: field 'before': 1 different vms; expected two",
                "- {hosts: 1} | - {hosts: 1, percent: 3} | fleet.yaml:52: field 'hosts': expected either hosts or percent",
                "domain: rack2, percent | domain: rack9, percent | fleet.yaml:53: field 'domain': no host is in domain 'rack9'",
                "domains: [rack1] | domains: [rack9] | fleet.yaml:54: field 'domains': no domain 'rack9'",
                "{x: b} | {x: q} | fleet.yaml:55: field 'x': no host 'q'",
                "deadlineSeconds: 3600 | deadlineSeconds: [ | fleet.yaml:56: not YAML or JSON: "
            })
    void errorsNameFileLineAndField(String was, String is, String message) throws IOException {
        assertThat(FLEET).contains(was);
        assertThatThrownBy(() -> FleetFile.read(file(FLEET.replaceFirst(Pattern.quote(was), is))))
                .isInstanceOf(InputProblem.class)
                .hasMessageContaining(message);
    }

    @Test
    void aMissingFieldIsNamed() throws IOException {
        assertThatThrownBy(() -> FleetFile.read(file("version: 1\nhosts: []\n")))
                .hasMessageContaining("fleet.yaml:1: field 'vms': missing");
    }

    /** What the schema says beyond this would not be looked at. */
    @Test
    void theSchemaUsesOnlyWhatIsChecked() throws IOException {
        Set<String> used = new TreeSet<>();
        JsonNode root = new ObjectMapper().readTree(FleetSchema.text());
        collect(root, used);
        root.path("$defs").forEach(each -> collect(each, used));
        assertThat(used)
                .containsExactly(
                        "$defs",
                        "$id",
                        "$ref",
                        "$schema",
                        "additionalProperties",
                        "description",
                        "enum",
                        "items",
                        "maximum",
                        "minLength",
                        "minimum",
                        "properties",
                        "required",
                        "title",
                        "type");
    }

    private static void collect(JsonNode schema, Set<String> used) {
        schema.fieldNames().forEachRemaining(used::add);
        schema.path("properties").forEach(each -> collect(each, used));
        if (schema.path("items").isObject()) {
            collect(schema.path("items"), used);
        }
        if (schema.path("additionalProperties").isObject()) {
            collect(schema.path("additionalProperties"), used);
        }
    }

    /** With all pods of the trace nearly every GPU is taken: not all can go, what goes is sound and what stays says why. */
    @Test
    void aFullGpuFleetIsDrainedAsFarAsItGoes() {
        PlanCase fleet = OpenbFolder.read(Path.of("src/test/resources/fleet-openb"));
        PlanCase drain = fleet.draining(Set.of("openb-node-0010", "openb-node-0500", "openb-node-1000"));
        BatchPlan plan = BatchPlanner.plan(drain, new Scheduler.Effort(1, 100_000));
        assertThat(PlanChecker.check(drain, plan)).isEmpty();
        assertThat(plan.moves()).isNotEmpty();
        assertThat(plan.unmoved()).isNotEmpty().allSatisfy(each -> {
            assertThat(each.reason()).isNotEmpty();
            assertThat(each.remedy()).startsWith("one more host like openb-node-");
        });
    }

    /** The real GPU fleet, filled first-fit, with every twentieth host drained. */
    @Test
    void aRealGpuFleetIsDrainedWithItsGpusHonoured() {
        PlanCase fleet = OpenbFolder.readRunning(Path.of("src/test/resources/fleet-openb"));
        assertThat(fleet.hosts()).hasSize(1523);
        Set<String> drained = new TreeSet<>();
        for (int h = 0; h < fleet.hosts().size(); h += 20) {
            drained.add(fleet.hosts().get(h).name());
        }
        PlanCase drain = fleet.draining(drained);
        BatchPlan plan = BatchPlanner.plan(drain, new Scheduler.Effort(1, 100_000));
        assertThat(PlanChecker.check(drain, plan)).isEmpty();
        assertThat(plan.unmoved()).isEmpty();
        long leaving = fleet.vms().stream()
                .filter(vm -> drained.contains(vm.host()) && !vm.slots().isEmpty())
                .count();
        assertThat(leaving).isPositive();
        assertThat(plan.moves().stream()
                        .filter(move ->
                                drained.contains(move.from()) && !move.slots().isEmpty()))
                .hasSize((int) leaving);
    }
}
