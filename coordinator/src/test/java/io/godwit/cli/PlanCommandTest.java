package io.godwit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlanCommandTest {
    private static final String INSTANCE = "src/test/resources/drain-instances/infra-x1-1.json.gz";

    @TempDir
    Path folder;

    private record Ran(int exit, String out, String err) {}

    private static Ran run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        AtomicLong now = new AtomicLong();
        Surroundings around = new Surroundings(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                CliSettings.of(ConfigFactory.load()),
                () -> now.addAndGet(Duration.ofMillis(250).toNanos()),
                time -> {},
                action -> () -> {});
        int exit = GodwitCommand.commandLine(new Shell(around)).execute(arguments);
        return new Ran(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void plansAndChecksWhatItHasPlanned() throws IOException {
        Ran planned = run("plan", "--import", "btrplace", INSTANCE, "--output", "json");
        assertThat(planned.exit()).isZero();
        JsonNode plan = new ObjectMapper().readTree(planned.out());
        assertThat(plan.path("lowerBoundSeconds").asDouble()).isEqualTo(405.8);
        assertThat(plan.path("makespanSeconds").asDouble()).isBetween(405.8, 422.0);
        assertThat(plan.path("meanEndSeconds").asDouble()).isBetween(120.0, 262.9);
        assertThat(plan.path("planningMillis").asLong()).isEqualTo(250);
        assertThat(plan.path("checked").asBoolean()).isTrue();
        assertThat(plan.path("moves")).hasSize(96);

        Path file = Files.writeString(folder.resolve("plan.json"), planned.out());
        assertThat(run("plan", "--import", "btrplace", INSTANCE, "--check", file.toString())
                        .exit())
                .isZero();

        ((ObjectNode) plan.path("moves").get(0)).put("to", "node#0");
        Files.writeString(file, plan.toString());
        Ran broken = run("plan", "--import", "btrplace", INSTANCE, "--check", file.toString(), "--output", "json");
        assertThat(broken.exit()).isEqualTo(1);
        assertThat(broken.err()).contains("the plan breaks");
        JsonNode said = new ObjectMapper().readTree(broken.out());
        assertThat(said.path("checked").asBoolean()).isFalse();
        assertThat(said.path("violations").toString()).contains("which is to go offline");
    }

    @Test
    void theTableEndsWithASummary() {
        Ran planned = run("plan", "--import", "btrplace", INSTANCE);
        assertThat(planned.out()).startsWith("VM").contains("96 moves in ").contains("no plan is shorter than 405.8 s");
    }

    @Test
    void readsItsOwnFormatAndPrintsItsSchema() throws IOException {
        Path file = Files.writeString(folder.resolve("fleet.yaml"), """
                version: 1
                hosts: [{name: a, memoryMiB: 2048}, {name: b, memoryMiB: 2048}]
                vms: [{name: x, host: a, memoryMiB: 1024}]
                """);
        Ran planned = run("plan", file.toString(), "--drain", "a");
        assertThat(planned.exit()).isZero();
        assertThat(planned.out()).contains("1 moves in 0.9 s");
        Ran schema = run("plan", "--schema");
        assertThat(schema.exit()).isZero();
        assertThat(new ObjectMapper().readTree(schema.out()).path("$id").asText())
                .isEqualTo("urn:godwit:fleet:1");
        assertThat(run("plan").err()).contains("FILE is missing");
    }

    @Test
    void comparesWithPeers() throws IOException {
        Ran ran = run("plan", "--import", "btrplace", INSTANCE, "--compare", "--output", "json");
        assertThat(ran.exit()).isZero();
        JsonNode policies = new ObjectMapper().readTree(ran.out()).path("policies");
        assertThat(policies).hasSize(7);
        assertThat(policies.get(0).path("policy").asText()).isEqualTo("godwit");
        assertThat(run("plan", "--import", "btrplace", INSTANCE, "--compare").out())
                .contains("kubevirt");
        assertThat(run("plan", INSTANCE, "--compare", "--noise", "200").err()).contains("--noise: 200; expected 0");
    }

    @Test
    void writesAPageThatNeedsNothingElse() throws IOException {
        Path file = Files.writeString(folder.resolve("fleet.yaml"), """
                version: 1
                hosts:
                - {name: a, memoryMiB: 2048, nicMbit: 1000, uplink: s}
                - {name: b, memoryMiB: 2048, nicMbit: 1000, uplink: s}
                vms:
                - {name: "<b>x", host: a, memoryMiB: 1024}
                - {name: y, host: a, memoryMiB: 1024, immovable: has a disk here}
                drain: {hosts: [a]}
                """);
        Path page = folder.resolve("plan.html");
        assertThat(run("plan", file.toString(), "--html", page.toString()).exit())
                .isEqualTo(1);
        assertThat(Files.readString(page))
                .startsWith("<!DOCTYPE html>")
                .contains("&lt;b&gt;x: a to b, 0.0 s to 9.1 s, up to 1000 Mbit/s")
                .contains("s -&gt; b, 1000 Mbit/s, busy 100 % of the time")
                .contains("has a disk here")
                .contains("breaks nothing")
                .doesNotContain("<b>x")
                .doesNotContain("http");
        assertThat(run("plan", file.toString(), "--html", folder.toString()).err())
                .contains("--html: cannot write");
    }

    @Test
    void theDurationModelIsFittedToMeasuredMigrations() throws IOException {
        Ran ran = run("plan", "--calibrate", "src/test/resources/migration-timings/timings.csv", "--output", "json");
        assertThat(ran.exit()).isZero();
        JsonNode fitted = new ObjectMapper().readTree(ran.out());
        assertThat(fitted.path("migrations").asInt()).isEqualTo(1000);
        assertThat(fitted.path("wireBitsPerByte").asDouble()).isBetween(8.0, 8.2);
        assertThat(fitted.path("meanAbsoluteError").asDouble()).isBetween(0.01, 0.07);
        assertThat(run("plan", "--calibrate", "nowhere.csv").err()).contains("nowhere.csv: no such file");
    }

    @Test
    void badInputIsToldInOneLine() throws IOException {
        Ran missing = run("plan", "--import", "btrplace", "nowhere.json");
        assertThat(missing.exit()).isEqualTo(2);
        assertThat(missing.err()).contains("nowhere.json: no such file").hasLineCount(1);
        Ran format = run("plan", "--import", "vmware", INSTANCE);
        assertThat(format.exit()).isEqualTo(2);
        assertThat(format.err()).contains("--import: 'vmware'; expected btrplace, ganeti or openb");
        Ran host = run("plan", "--import", "btrplace", INSTANCE, "--drain", "node#99");
        assertThat(host.exit()).isEqualTo(2);
        assertThat(host.err()).contains("drained host 'node#99'");
        Path bad = Files.writeString(folder.resolve("bad.json"), "{\n\"constraints\": [}");
        assertThat(run("plan", "--import", "btrplace", bad.toString()).err()).contains("bad.json:2: not JSON");
        Path cut = Files.writeString(folder.resolve("cut.json"), "{\n\"hosts\": [");
        Ran damaged = run("plan", cut.toString());
        assertThat(damaged.exit()).isEqualTo(2);
        assertThat(damaged.err())
                .contains("cut.json:2: not YAML or JSON: ")
                .doesNotContain("Source")
                .hasLineCount(1);
    }
}
