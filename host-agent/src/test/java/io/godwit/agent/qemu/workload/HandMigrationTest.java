package io.godwit.agent.qemu.workload;

import static io.godwit.agent.qemu.workload.BootSectorGuest.PAGE_BYTES;
import static io.godwit.agent.qemu.workload.BootSectorGuest.STARTED;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.agent.Requirement;
import io.godwit.agent.kvm.KvmDriver;
import io.godwit.agent.qemu.workload.PageRule.Verdict;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A migration of the boot-sector guest between two QEMUs, driven by QMP alone: that the check holds for what QEMU does
 * right, and finds what is done wrong at the destination, without any of our own migration code in between. On KVM only: QEMU's
 * own emulator may lose writes of a guest that runs while it is copied, see QemuEmulation.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class HandMigrationTest {
    private static final int MEMORY_MIB = 64;

    /** 15 MiB at 10 MiB/s, against 32 MiB/s of bandwidth: several passes, and an end. */
    private static final BootSectorGuest GUEST = new BootSectorGuest(16 << 20, 2560, 1);

    private static final PageRule RULE = GUEST.rule();

    @TempDir
    Path folder;

    private TestDisk disk = new TestDisk(Path.of(""), "");

    @BeforeEach
    void makeImages() throws Exception {
        QemuProcess.need(QemuProcess.SYSTEM);
        KvmDriver.Availability kvm = KvmDriver.available();
        Requirement.need("kvm", kvm.available(), kvm.detail());
        GUEST.writeImage(folder.resolve("guest.img"));
        disk = TestDisk.create(folder.resolve("disk"), "qcow2", 16);
    }

    /** The guest's RAM is a file, so that a test can change it behind QEMU's back: {@code NAME.ram}. */
    private QemuProcess start(String name, String... more) throws IOException {
        List<String> arguments = new ArrayList<>(BootSectorGuest.bootFrom(folder.resolve("guest.img")));
        arguments.addAll(disk.writable());
        arguments.addAll(List.of(
                "-object",
                "memory-backend-file,id=ram,share=on,size=" + MEMORY_MIB + "M,mem-path=" + ram(name),
                "-machine",
                "memory-backend=ram"));
        arguments.addAll(List.of(more));
        return QemuProcess.start(folder, name, "kvm", MEMORY_MIB, arguments);
    }

    private Path ram(String name) {
        return folder.resolve(name + ".ram");
    }

    /** Migrates; the destination stands still after it. */
    private void migrate(QemuProcess source, QemuProcess destination) throws IOException {
        String socket = "{\"uri\": \"unix:" + folder.resolve("migration") + "\"}";
        source.execute("migrate-set-parameters", "{\"max-bandwidth\": 33554432}");
        destination.execute("migrate-incoming", socket);
        source.execute("migrate", socket);
        source.awaitMigration("completed");
        destination.awaitMigration("completed");
        source.awaitRunState("postmigrate");
        destination.awaitRunState("paused");
    }

    private static Verdict.Holds holds(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Holds.class);
        return (Verdict.Holds) verdict;
    }

    @Test
    void theRuleHoldsAtTheDestinationAndTheGuestGoesOn() throws Exception {
        try (QemuProcess source = start("source");
                QemuProcess destination = start("destination", "-S", "-incoming", "defer")) {
            source.awaitSerial(String.valueOf(STARTED));
            source.execute("stop");
            Verdict.Holds before = holds(source.check(RULE));
            source.execute("cont");
            migrate(source, destination);

            Verdict.Holds left = holds(source.check(RULE));
            Verdict.Holds arrived = holds(destination.check(RULE));
            assertThat(left.total()).as("it wrote while it migrated").isGreaterThan(before.total());
            assertThat(arrived).isEqualTo(left);
            assertThat(source.execute("query-migrate")
                            .path("ram")
                            .path("dirty-sync-count")
                            .asInt())
                    .isGreaterThan(1);

            destination.execute("cont");
            Awaitility.await().until(() -> destination.serial().length() >= 2);
            assertThatThrownBy(() -> source.execute("cont"))
                    .as("the disk is the destination's now")
                    .isInstanceOf(QmpSocket.Refused.class)
                    .hasMessage("Failed to get \"write\" lock");
            destination.execute("stop");
            assertThat(holds(destination.check(RULE)).total()).isGreaterThan(arrived.total());
            assertThat(destination.serial()).as("continued, not booted again").matches("\\.+");
            assertThat(holds(source.check(RULE))).as("it stood still").isEqualTo(left);
        }
    }

    @Test
    void whatIsWrongInTheDestinationsMemoryIsFound() throws Exception {
        try (QemuProcess source = start("source");
                QemuProcess destination = start("destination", "-S", "-incoming", "defer")) {
            source.awaitSerial(STARTED + ".");
            migrate(source, destination);
            Verdict.Holds arrived = holds(destination.check(RULE));
            long gpa = RULE.firstGpa() + 3000 * PAGE_BYTES;

            try (FileChannel memory =
                    FileChannel.open(ram("destination"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                ByteBuffer page = read(memory, gpa, PAGE_BYTES);
                write(memory, gpa + 3000, ByteBuffer.wrap(new byte[] {1}));
                assertThat(destination.check(RULE)).isEqualTo(new Verdict.Broken(gpa + 3000, "byte 1; expected 0"));

                // an older copy of the page
                ByteBuffer old = ByteBuffer.allocate(PAGE_BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .put(page.duplicate());
                old.putLong(0, old.getLong(0) - 1).rewind();
                write(memory, gpa, old);
                assertThat(destination.check(RULE)).isInstanceOf(Verdict.Broken.class);

                write(memory, gpa, page);
                assertThat(destination.check(RULE)).isEqualTo(arrived);
            }
        }
    }

    private static ByteBuffer read(FileChannel from, long at, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining() && from.read(buffer, at + buffer.position()) > 0) {}
        return buffer.flip();
    }

    private static void write(FileChannel to, long at, ByteBuffer bytes) throws IOException {
        for (long next = at; bytes.hasRemaining(); ) {
            next += to.write(bytes, next);
        }
    }
}
