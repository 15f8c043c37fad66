package io.godwit.plan.load;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.plan.model.Calibration;
import io.godwit.plan.model.Calibration.Measured;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Real migrations: the model, fitted to some of them, says how long the others took. */
class CalibrationTest {
    private static final Path TIMINGS = Path.of("src/test/resources/migration-timings/timings.csv");
    /** Ten migrations in each of four runs. */
    private static final int PER_PLAN = 40;

    /** Fitted to the odd plans or the even ones, tested on the others; what the plans' own model said was 20 % off. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void durationsOfTheOtherHalfAreLessThanATenthOff(int half) {
        List<Measured> all = TimingsFile.read(TIMINGS);
        assertThat(all).hasSize(1000);
        List<Measured> fitted = new ArrayList<>();
        List<Measured> others = new ArrayList<>();
        for (int m = 0; m < all.size(); m++) {
            (m / PER_PLAN % 2 == half ? fitted : others).add(all.get(m));
        }
        assertThat(Calibration.error(Calibration.fit(fitted), others)).isLessThan(0.075);
    }

    @Test
    void errorsNameLineAndField(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(
                folder.resolve("t.csv"), "usedMb,hotMb,hotSeconds,coldMbPerSecond,mbit,seconds\n2000,96,2,x,500,40\n");
        assertThatThrownBy(() -> TimingsFile.read(file))
                .hasMessageEndingWith("t.csv:2: field 'coldMbPerSecond': 'x'; expected a number from 0");
        Files.writeString(file, "usedMb,hotMb\n");
        assertThatThrownBy(() -> TimingsFile.read(file)).hasMessageContaining("no migration in it");
        Files.writeString(file, "usedMb,hotMb,hotSeconds,coldMbPerSecond,mbit,seconds\n2000,96,0,1,500,40\n");
        assertThatThrownBy(() -> TimingsFile.read(file)).hasMessageContaining("t.csv:2: a hot set of 96.0 MB");
    }
}
