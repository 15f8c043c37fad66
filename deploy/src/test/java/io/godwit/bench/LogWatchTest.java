package io.godwit.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the coordinators' logs tell of an evacuation's way. */
class LogWatchTest {
    @TempDir
    private Path folder;

    private Path one = Path.of("");
    private Path two = Path.of("");
    private LogWatch logs = new LogWatch(Map.of());

    LogWatchTest() throws IOException {}

    @BeforeEach
    void beginsAtTheEnds() throws IOException {
        one = Files.writeString(
                folder.resolve("one"), "i.g.e.MigrationEntity - migration old: PREPARING of vm vm-1, a to b\n");
        two = Files.writeString(folder.resolve("two"), "");
        logs = new LogWatch(Map.of("coordinator-1", one, "coordinator-2", two));
    }

    private static void say(Path log, String text) throws IOException {
        Files.writeString(
                log, "12:35:28.147 INFO  i.g.e.MigrationEntity pekko://x - " + text, StandardOpenOption.APPEND);
    }

    @Test
    void aMigrationIsFollowedFromCoordinatorToCoordinator() throws IOException {
        say(one, "evacuation e-1: carried on here\n");
        say(one, "migration e-1-vm-2-1: PREPARING of vm vm-2, host-1 to host-3\n");
        logs.catchUp();
        say(two, "migration e-1-vm-2-1: SWITCHOVER of vm vm-2, host-1 to host-3\n");
        LogWatch.Seen seen = logs.await("SWITCHOVER", 1).orElseThrow();
        assertThat(seen).isEqualTo(new LogWatch.Seen("coordinator-2", "e-1-vm-2-1", "SWITCHOVER"));
        assertThat(logs.migrationOf("vm-2")).contains(seen);
        assertThat(logs.destination("e-1-vm-2-1")).contains("host-3");
        assertThat(logs.holder("e-1")).contains("coordinator-1");
        assertThat(logs.migrationOf("vm-1")).as("what was logged before").isEmpty();
        assertThat(logs.await("SWITCHOVER", 1)).as("told once").isEmpty();
    }

    @Test
    void aLineCountsWhenItIsWhole() throws IOException {
        say(one, "migration e-1-vm-2-1 COMPLETED: do");
        assertThat(logs.await("COMPLETED", 1)).isEmpty();
        Files.writeString(one, "ne\n", StandardOpenOption.APPEND);
        assertThat(logs.await("COMPLETED", 1)).isPresent();
    }
}
