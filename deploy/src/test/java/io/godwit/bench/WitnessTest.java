package io.godwit.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The witness must be able to accuse. */
class WitnessTest {
    @TempDir
    private Path folder;

    private final Witness witness = new Witness();

    private Optional<String> verdict(String logOfA, String logOfB) throws IOException {
        Path a = Files.writeString(folder.resolve("a"), logOfA);
        Path b = Files.writeString(folder.resolve("b"), logOfB);
        return witness.verdict(Map.of("a", a, "b", b));
    }

    @Test
    void aVmThatStopsBeforeItRunsElsewhereIsFine() throws IOException {
        assertThat(verdict("10 vm-1 RUN 1\n20 vm-1 STOP 1\n", "21 vm-1 RUN 2\n"))
                .isEmpty();
    }

    @Test
    void aVmThatRunsOnTwoHostsIsSeen() throws IOException {
        assertThat(verdict("10 vm-1 RUN 1\n20 vm-1 STOP 1\n", "19 vm-1 RUN 2\n"))
                .hasValueSatisfying(wrong -> assertThat(wrong).contains("vm-1", "at the same time"));
    }

    @Test
    void whatTheDeathOfAnAgentEndedDoesNotRunOn() throws IOException {
        assertThat(verdict("10 vm-1 RUN 1\n", "30 vm-1 RUN 2\n")).isPresent();
        witness.died("a", 25);
        assertThat(verdict("10 vm-1 RUN 1\n", "30 vm-1 RUN 2\n")).isEmpty();
        assertThat(verdict("10 vm-1 RUN 1\n", "24 vm-1 RUN 2\n")).isPresent();
    }

    @Test
    void anOldEpochIsSeen() throws IOException {
        assertThat(verdict("10 vm-1 RUN 2\n20 vm-1 STOP 2\n", "21 vm-1 RUN 2\n"))
                .hasValueSatisfying(wrong -> assertThat(wrong).contains("epoch 2"));
    }
}
