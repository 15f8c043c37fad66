package io.godwit.agent.qemu.workload;

import static io.godwit.agent.qemu.workload.BootSectorGuest.STARTED;
import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.Requirement;
import io.godwit.agent.kvm.KvmDriver;
import io.godwit.agent.qemu.workload.PageRule.Verdict;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The boot-sector guest in a real QEMU, on both accelerators. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class BootSectorRunTest {
    private static final int MEMORY_MIB = 64;

    @TempDir
    Path folder;

    private QemuProcess boot(String accel, BootSectorGuest guest) throws Exception {
        if (accel.equals("kvm")) {
            KvmDriver.Availability kvm = KvmDriver.available();
            Requirement.need("kvm", kvm.available(), kvm.detail());
        }
        Path image = folder.resolve("guest.img");
        guest.writeImage(image);
        QemuProcess qemu = QemuProcess.start(folder, "vm", accel, MEMORY_MIB, BootSectorGuest.bootFrom(image));
        qemu.awaitSerial(String.valueOf(STARTED));
        return qemu;
    }

    private static Verdict.Holds holds(Verdict verdict) {
        assertThat(verdict).isInstanceOf(Verdict.Holds.class);
        return (Verdict.Holds) verdict;
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcg", "kvm"})
    void keepsItsRuleAndGoesOnAfterEachStop(String accel) throws Exception {
        BootSectorGuest guest = BootSectorGuest.filling(MEMORY_MIB << 20, 0);
        try (QemuProcess qemu = boot(accel, guest)) {
            long total = 0;
            for (int stop = 0; stop < 5; stop++) {
                int marks = qemu.serial().length();
                Awaitility.await().until(() -> qemu.serial().length() > marks);
                qemu.execute("stop");
                Verdict.Holds now = holds(qemu.check(guest.rule()));
                assertThat(now.total()).isGreaterThan(total);
                // a mark is printed after each 64 passes
                assertThat(now.pass()).isGreaterThanOrEqualTo(64L * marks);
                assertThat(qemu.check(guest.rule())).as("it stands still").isEqualTo(now);
                total = now.total();
                qemu.execute("cont");
            }
            assertThat(qemu.serial()).matches("G\\.+");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tcg", "kvm"})
    void keepsItsRate(String accel) throws Exception {
        // a mark for each pass of 1024 pages, five passes a second
        BootSectorGuest guest = new BootSectorGuest(5 << 20, 5120, 1);
        try (QemuProcess qemu = boot(accel, guest)) {
            long began = System.nanoTime();
            int marks = qemu.serial().length();
            qemu.awaitSerial(".".repeat(marks + 4));
            qemu.execute("stop");
            double seconds = (System.nanoTime() - began) / 1e9;
            // never faster; how much slower is a matter of how busy the machine is
            assertThat(holds(qemu.check(guest.rule())).total()).isLessThanOrEqualTo((long) (5120 * (seconds + 1)));
            assertThat(seconds).isGreaterThan(0.6);
        }
    }
}
