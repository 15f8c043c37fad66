package io.godwit.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.godwit.proto.migration.Downtime;
import org.junit.jupiter.api.Test;

class SwitchoverBenchTest {
    private static SwitchoverBenchOptions options(String... args) {
        return SwitchoverBenchOptions.parse(args);
    }

    /** Migrations that stood still for {@code totalMs}, almost all of it in the commit. */
    private static void add(SwitchoverBenchResult result, int times, long totalMs, long predictedMs) {
        for (int i = 0; i < times; i++) {
            result.add("soft", new Downtime(100, 100, 100, 100, 100, totalMs * 1000 - 600, 100), predictedMs * 1000);
        }
    }

    /** {@code fast} migrations of {@code fastMs}, then {@code slow} of {@code slowMs}. */
    private static SwitchoverBenchResult result(int fast, long fastMs, int slow, long slowMs) {
        SwitchoverBenchResult result = new SwitchoverBenchResult(options());
        add(result, fast, fastMs, fastMs);
        add(result, slow, slowMs, fastMs);
        return result;
    }

    @Test
    void countsEveryMigrationOfASmallIdleGuestWithoutDevicesUnlessToldOtherwise() {
        SwitchoverBenchOptions plain = options();
        assertThat(plain.rounds()).isEqualTo(100);
        assertThat(plain.bytes()).isEqualTo(64L << 20);
        assertThat(plain.devices()).isEmpty();
        assertThat(plain.verify()).isFalse();
        SwitchoverBenchOptions told =
                options("--rounds", "3", "--devices", "gpu,vnic", "--guest", "soft", "--verify", "--output", "json");
        assertThat(told.rounds()).isEqualTo(3);
        assertThat(told.devices()).containsExactly("gpu", "vnic");
        assertThat(told.guest()).isEqualTo("soft");
        assertThat(told.verify()).isTrue();
        assertThat(told.json()).isTrue();
    }

    @Test
    void refusesWhatItDoesNotUnderstandAndSaysWhatItExpects() {
        assertThatThrownBy(() -> options("--guest", "vmware")).hasMessageContaining("expected auto, kvm or soft");
        assertThatThrownBy(() -> options("--devices", "gpu,gpu")).hasMessageContaining("different device models");
        assertThatThrownBy(() -> options("--devices", "gpu,")).hasMessageContaining("different device models");
        assertThatThrownBy(() -> options("--rounds")).hasMessage("--rounds without a value");
        assertThatThrownBy(() -> options("--fast")).hasMessage("unknown argument --fast");
    }

    @Test
    void meetsTheGoalWithOneSlowMigrationInAHundredAndMissesItWithTwo() {
        assertThat(result(99, 14, 1, 200).meetsGoal()).isTrue();
        assertThat(result(98, 14, 2, 200).meetsGoal()).isFalse();
        assertThat(result(100, 15, 0, 0).meetsGoal()).isFalse();
    }

    @Test
    void showsMedianP99AndTheWorstOfEveryPartAndHowManyPromisesWereKept() {
        SwitchoverBenchResult result = result(98, 10, 2, 60);
        assertThat(result.table())
                .containsPattern("(?m)^total +10\\.00 +10\\.00 +60\\.00 +60\\.00$")
                .containsPattern("(?m)^handoff commit +9\\.40 +9\\.40 +59\\.40 +59\\.40$")
                .containsPattern("(?m)^off by +0\\.00 +0\\.00 +50\\.00 +50\\.00$")
                .contains("predicted within 15 % or 10 ms: 98 of 100")
                .contains("p99 under 50 ms: missed");
        JsonNode document = result.document(new ObjectMapper());
        assertThat(document.path("downtimeMs").path("total").path("p99").asDouble())
                .isEqualTo(60);
        assertThat(document.path("totalsMs")).hasSize(100);
        assertThat(document.path("met").asBoolean(true)).isFalse();
    }
}
