package io.godwit.plan.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.schedule.DrainInstances;
import io.godwit.plan.schedule.Scheduler;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImportsTest {
    private static final String GANETI = """
            group1|uuid-1|preferred||

            node1|4096|512|1024|10000|9000|4|Y|uuid-1|1|||1|1|1
            node2|4096|512|2048|10000|9000|4|N|uuid-1|1|||1|1|1
            node3|4096|512|3584|10000|9000|4|N|uuid-2|1|||1|1|1

            web|1024|100|1|running|Y|node1||ext||1|-
            db|512|100|1|running|Y|node1|node2|drbd||1|-
            local|256|100|1|running|Y|node1||plain||1|-

            """;

    @TempDir
    Path folder;

    private Path file(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    @Test
    void ganetiDrainsWhatIsOfflineAndHonoursDisksAndGroups() throws IOException {
        PlanCase fleet = GanetiFile.read(file("cluster.data", GANETI));
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 1000));
        assertThat(PlanChecker.check(fleet, plan)).isEmpty();
        assertThat(plan.moves().stream().map(ScheduledMove::vm)).containsExactlyInAnyOrder("web", "db");
        assertThat(plan.moves().stream().map(ScheduledMove::to)).containsOnly("node2");
        assertThat(plan.unmoved().getFirst().reason()).isEqualTo("its disk is local (plain)");
    }

    @Test
    void gzipIsToldByItsFirstBytes() throws IOException {
        Path zipped = folder.resolve("cluster.data");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(zipped))) {
            out.write(GANETI.getBytes(StandardCharsets.UTF_8));
        }
        assertThat(GanetiFile.read(zipped).vms()).hasSize(3);
        Path instance = Path.of("src/test/resources/drain-instances/vms-x1-1.json.gz");
        try (var in = new GZIPInputStream(Files.newInputStream(instance))) {
            Path plain = Files.write(folder.resolve("plain.json"), in.readAllBytes());
            assertThat(BtrPlaceFile.read(plain)).isEqualTo(DrainInstances.read("vms-x1-1"));
        }
    }

    @Test
    void ganetiNamesLineAndField() throws IOException {
        Path bad = file("bad.data", GANETI.replace("web|1024|", "web|lots|"));
        assertThatThrownBy(() -> GanetiFile.read(bad))
                .isInstanceOf(InputProblem.class)
                .hasMessageContaining("bad.data:7: field 'mem': 'lots'; expected a number");
        Path cut = file("cut.data", GANETI.replace("|Y|uuid-1|1|||1|1|1", ""));
        assertThatThrownBy(() -> GanetiFile.read(cut))
                .hasMessageContaining("cut.data:3: field")
                .hasMessageContaining("is missing");
        assertThatThrownBy(() -> GanetiFile.read(folder.resolve("none"))).hasMessageContaining("no such file");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "not json | bad.json:1: not JSON",
                "{} | field 'constraints': missing",
                "{\"constraints\":[{\"id\":\"magic\"}]} | field 'constraints[0].id': unknown constraint 'magic'; expected fence",
                "{\"constraints\":[]} | field 'model': missing",
                "{\"constraints\":[],\"model\":{\"mapping\":{\"onlineNodes\":{}},\"views\":[{\"id\":\"odd\"}]}} | unknown view 'odd'"
            })
    void btrplaceNamesTheFieldAndWhatWasExpected(String text, String message) throws IOException {
        Path bad = file("bad.json", text.strip());
        assertThatThrownBy(() -> BtrPlaceFile.read(bad))
                .isInstanceOf(InputProblem.class)
                .hasMessageContaining(message);
    }

    @Test
    void aPlanReadsBackAsItWasWritten() throws IOException {
        PlanCase fleet = DrainInstances.read("vms-x1-1");
        BatchPlan plan = BatchPlanner.plan(fleet, new Scheduler.Effort(1, 1000));
        Path written =
                file("plan.json", PlanJson.write(fleet, plan, 12, List.of()).toString());
        BatchPlan read = PlanJson.read(written);
        assertThat(read.moves()).isEqualTo(plan.moves());
        assertThat(read.makespanMs()).isEqualTo(plan.makespanMs());
        Path bad = file("bad.json", "{\"moves\":[{\"vm\":3}]}");
        assertThatThrownBy(() -> PlanJson.read(bad)).hasMessageContaining("field 'moves[0].vm': missing or no text");
    }
}
