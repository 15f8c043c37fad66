package io.godwit.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunLogTest {
    @TempDir
    Path folder;

    @Test
    void findsNothingWrongWithACleanHandover() throws IOException {
        RunLog log = new RunLog();
        log.read("host-1", file("a", "100 vm-1 RUN 1", "200 vm-1 STOP 1"));
        log.read("host-2", file("b", "250 vm-1 RUN 2", "300 vm-1 STOP 2", "310 vm-1 RUN 2"));
        assertThat(log.overlap()).isEmpty();
        assertThat(log.staleEpoch()).isEmpty();
        assertThat(log.open("vm-1")).containsExactly(new RunLog.Interval("vm-1", "host-2", 2, 310, Long.MAX_VALUE));
    }

    @Test
    void findsTwoRunsOfOneVmAtTheSameMoment() throws IOException {
        RunLog log = new RunLog();
        log.read("host-1", file("a", "100 vm-1 RUN 1", "260 vm-1 STOP 1"));
        log.read("host-2", file("b", "250 vm-1 RUN 2"));
        assertThat(log.overlap())
                .hasValueSatisfying(why -> assertThat(why)
                        .contains("vm-1")
                        .contains("host-1 (epoch 1)")
                        .contains("host-2 (epoch 2)"));
    }

    @Test
    void takesARunWithoutItsStopAsRunningStill() throws IOException {
        RunLog log = new RunLog();
        log.read("host-1", file("a", "100 vm-1 RUN 1"));
        log.read("host-2", file("b", "900 vm-1 RUN 2"));
        assertThat(log.overlap()).isPresent();
        assertThat(log.open("vm-1")).hasSize(2);
    }

    @Test
    void doesNotMixUpVms() throws IOException {
        RunLog log = new RunLog();
        log.read("host-1", file("a", "100 vm-1 RUN 1"));
        log.read("host-2", file("b", "100 vm-2 RUN 1"));
        assertThat(log.overlap()).isEmpty();
    }

    @Test
    void findsALaterRunUnderAnOldEpoch() throws IOException {
        RunLog log = new RunLog();
        log.read("host-1", file("a", "100 vm-1 RUN 3", "200 vm-1 STOP 3"));
        log.read("host-2", file("b", "300 vm-1 RUN 3"));
        assertThat(log.staleEpoch()).isPresent();
    }

    @Test
    void namesFileAndLineThatItCannotRead() throws IOException {
        Path file = file("a", "100 vm-1 RUN 1", "later vm-1 STOP 1");
        assertThatThrownBy(() -> new RunLog().read("host-1", file))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(file.toString())
                .hasMessageContaining("line 2")
                .hasMessageContaining("RUN|STOP");
    }

    private Path file(String name, String... lines) throws IOException {
        return Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
    }
}
