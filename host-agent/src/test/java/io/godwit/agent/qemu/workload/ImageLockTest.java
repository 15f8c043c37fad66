package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * QEMU's locks on disk images, as other code relies on them, seen with 7.2. A QEMU that may write an image holds its lock from
 * its start, paused or not. Whoever comes second ends with status 1 and says on stderr which argument it was,
 * {@code Failed to get "write" lock} (to write) or {@code Failed to get shared "write" lock} (to read), and
 * {@code Is another process using the image [PATH]?}. With {@code -blockdev} the argument named is that for qcow2, but for raw the
 * {@code -device}; {@code share-rw=on} of the device changes nothing. A reader keeps a writer out as well, and readers
 * do not disturb each other. Under {@code -incoming} nothing is locked before the migration ends. {@code qemu-img info} of an
 * image in use fails for qcow2 unless {@code -U} is given, and works for raw.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ImageLockTest {
    private static final int MEMORY_MIB = 32;

    @TempDir
    Path folder;

    private QemuProcess paused(String name, List<String> disk, String... more) throws Exception {
        return QemuProcess.start(folder, name, "tcg", MEMORY_MIB, arguments(disk, more));
    }

    private String refused(String name, List<String> disk) throws Exception {
        return QemuProcess.startRefused(folder, name, "tcg", MEMORY_MIB, arguments(disk));
    }

    private static List<String> arguments(List<String> disk, String... more) {
        List<String> arguments = new ArrayList<>(disk);
        arguments.add("-S");
        arguments.addAll(List.of(more));
        return arguments;
    }

    private static String message(TestDisk disk, List<String> arguments, String lock) {
        return "qemu-system-x86_64: " + String.join(" ", arguments) + ": Failed to get " + lock + " lock\n"
                + "Is another process using the image [" + disk.file() + "]?\n";
    }

    @ParameterizedTest
    @ValueSource(strings = {"raw", "qcow2"})
    void aSecondQemuIsRefusedAnImageThatIsWritten(String format) throws Exception {
        TestDisk disk = TestDisk.create(folder.resolve("disk"), format, 16);
        try (QemuProcess first = paused("first", disk.writable())) {
            assertThat(first.runState()).isEqualTo("prelaunch");
            assertThat(refused("writer", disk.writable())).isEqualTo(message(disk, disk.writable(), "\"write\""));
            assertThat(refused("reader", disk.readOnly()))
                    .isEqualTo(message(disk, disk.readOnly(), "shared \"write\""));
            first.quit();
        }
        try (QemuProcess next = paused("next", disk.writable())) {
            assertThat(next.runState()).as("the lock went with its holder").isEqualTo("prelaunch");
        }
    }

    @Test
    void readersShareAnImageAndKeepAWriterOut() throws Exception {
        TestDisk disk = TestDisk.create(folder.resolve("disk"), "raw", 16);
        try (QemuProcess first = paused("first", disk.readOnly());
                QemuProcess second = paused("second", disk.readOnly())) {
            assertThat(List.of(first.runState(), second.runState())).containsOnly("prelaunch");
            assertThat(refused("writer", disk.writable())).isEqualTo(message(disk, disk.writable(), "\"write\""));
        }
    }

    @Test
    void aDestinationOpensAnImageInUseButCannotRunOnIt() throws Exception {
        TestDisk disk = TestDisk.create(folder.resolve("disk"), "qcow2", 16);
        try (QemuProcess source = paused("source", disk.writable());
                QemuProcess destination = paused("destination", disk.writable(), "-incoming", "defer")) {
            assertThat(destination.runState()).isEqualTo("inmigrate");
            assertThatThrownBy(() -> destination.execute("cont"))
                    .isInstanceOf(QmpSocket.Refused.class)
                    .hasMessage("Failed to get \"write\" lock");
            assertThat(destination.runState()).isEqualTo("inmigrate");
            source.execute("cont");
            assertThat(source.runState()).isEqualTo("running");
        }
    }
}
