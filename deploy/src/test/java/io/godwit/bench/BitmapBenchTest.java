package io.godwit.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.godwit.memory.DirtyBitmap;
import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;

class BitmapBenchTest {
    private static BitmapBenchResult result(double... allocated) {
        return new BitmapBenchResult(java.util.Arrays.stream(allocated)
                .mapToObj(bytes -> new BitmapBenchResult.Row("takeRuns", PagePattern.SCATTERED_1, 1234.4, bytes))
                .toList());
    }

    @Test
    void oneOperationThatAllocatesPerPageMissesTheGoal() {
        assertThat(result(0, 1023).meetsGoal()).isTrue();
        assertThat(result(0, 1024).meetsGoal()).isFalse();
        assertThat(result().meetsGoal()).as("nothing was measured").isFalse();
        assertThat(result(16 << 20).table())
                .contains("iterate: take every run")
                .contains("1 %, scattered")
                .contains("1234")
                .endsWith("missed\n");
        JsonNode document = result(7).document(new ObjectMapper());
        assertThat(document.at("/operations/0/allocatedBytes").asDouble()).isEqualTo(7);
        assertThat(document.at("/goal/met").asBoolean()).isTrue();
    }

    @Test
    void everyBenchmarkHasItsLineInTheTable() {
        List<String> benchmarks = Stream.of(BitmapBenchmarks.class.getDeclaredMethods())
                .filter(method -> method.isAnnotationPresent(Benchmark.class))
                .map(Method::getName)
                .toList();
        assertThat(BitmapBenchResult.OPERATIONS.keySet()).containsExactlyInAnyOrderElementsOf(benchmarks);
    }

    @Test
    void patternsAreAsDenseAsTheySay() {
        DirtyBitmap pages = new DirtyBitmap(1 << 20);
        PagePattern.CLEAN.mark(pages);
        assertThat(pages.count()).isZero();
        PagePattern.SCATTERED_1.mark(pages);
        assertThat(pages.count()).isBetween(10_000L, 11_000L);
        pages.clear();
        PagePattern.RUNS_10.mark(pages);
        assertThat(pages.count()).isBetween(80_000L, 130_000L);
        assertThat(pages.nextClear(pages.nextSet(0)) - pages.nextSet(0)).isGreaterThanOrEqualTo(512);
        PagePattern.ALL.mark(pages);
        assertThat(pages.count()).isEqualTo(1 << 20);
    }

    @Test
    void badUsageIsNamed() {
        assertThatThrownBy(() -> BitmapBench.Options.parse(new String[] {"--only", "nothing"}))
                .hasMessageStartingWith("--only nothing; expected one of [collectLog,");
        assertThatThrownBy(() -> BitmapBench.Options.parse(new String[] {"--seconds", "0"}))
                .hasMessage("--seconds 0; expected 1 to 60");
        assertThatThrownBy(() -> BitmapBench.Options.parse(new String[] {"--fast"}))
                .hasMessage("unknown argument --fast");
        assertThat(BitmapBench.Options.parse(new String[] {"--only", "drain", "--output", "json"}))
                .isEqualTo(new BitmapBench.Options(false, "drain", 3, true));
    }
}
