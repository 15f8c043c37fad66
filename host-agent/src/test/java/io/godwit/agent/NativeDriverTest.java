package io.godwit.agent;

import static io.godwit.agent.NativeGuests.MIB;
import static io.godwit.agent.NativeGuests.driver;
import static io.godwit.agent.NativeGuests.pass;
import static io.godwit.agent.NativeGuests.runFor;
import static io.godwit.agent.NativeGuests.spec;
import static io.godwit.agent.NativeGuests.total;
import static io.godwit.agent.NativeGuests.violation;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a guest of either driver does by itself. */
class NativeDriverTest {
    private static final WorkloadSpec FULL_SPEED = new WorkloadSpec(8 * MIB, 0, true);

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void keepsTheWriteRuleHoweverOftenItIsPaused(String name) throws Exception {
        Random random = new Random(1);
        for (int vcpus = 1; vcpus <= 4; vcpus++) {
            VmSpec spec = spec(name, 16 * MIB, vcpus, new WorkloadSpec(12 * 4096L * vcpus, 0, false));
            try (Guest guest = driver(name).create(spec)) {
                long before = 0;
                for (int i = 0; i < 40; i++) {
                    guest.run();
                    pass(random.nextInt(1_500_000));
                    guest.pause();
                    assertThat(violation(spec, guest)).isEmpty();
                    assertThat(total(guest)).isGreaterThanOrEqualTo(before);
                    before = total(guest);
                }
                assertThat(guest.writesCounted()).hasSize(vcpus).doesNotContain(0);
                assertThat(guest.failure()).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void standsStillWhilePaused(String name) throws Exception {
        VmSpec spec = spec(name, 16 * MIB, 2, FULL_SPEED);
        try (Guest guest = driver(name).create(spec)) {
            runFor(guest, 1000);
            guest.pause(); // nothing when they stand
            long counted = total(guest);
            DirtyBitmap dirty = new DirtyBitmap(guest.memory().pages());
            guest.startDirtyLog();
            pass(20_000_000);
            assertThat(guest.collectDirty(dirty)).isZero();
            assertThat(total(guest)).isEqualTo(counted);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void fillsEveryPageOutsideTheProgramWithThePatternAndLeavesCountersZero(String name) throws Exception {
        VmSpec spec = spec(name, 16 * MIB, 1, FULL_SPEED);
        try (Guest guest = driver(name).create(spec)) {
            for (long gpa = GuestLayout.SYSTEM_BYTES; gpa < spec.memoryBytes(); gpa += GuestMemory.PAGE_SIZE) {
                assertThat(guest.memory().segment().get(ValueLayout.JAVA_LONG, gpa))
                        .isZero();
                assertThat(guest.memory().segment().get(ValueLayout.JAVA_LONG, gpa + 8))
                        .isNotZero();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void dirtyLogReportsExactlyThePagesWritten(String name) throws Exception {
        VmSpec spec = spec(name, 16 * MIB, 1, new WorkloadSpec(8 * MIB, 2000 * 4096, false));
        try (Guest guest = driver(name).create(spec)) {
            GuestLayout.Range slice = new GuestLayout(spec).slice(0);
            DirtyBitmap found = new DirtyBitmap(guest.memory().pages());
            runFor(guest, 3);
            guest.startDirtyLog();
            for (int round = 0; round < 20; round++) {
                long before = total(guest);
                runFor(guest, 1 + round);
                DirtyBitmap expected = new DirtyBitmap(guest.memory().pages());
                for (long write = before; write < total(guest); write++) {
                    expected.set(slice.firstPage() + write % slice.pages());
                }
                found.clear();
                assertThat(guest.collectDirty(found)).isEqualTo(found.count());
                found.clearRange(0, slice.firstPage()); // KVM may report the code page, which it maps writable, once
                for (int word = 0; word < found.wordCount(); word++) {
                    assertThat(found.word(word)).as("word %d", word).isEqualTo(expected.word(word));
                }
                assertThat(expected.count()).as("far fewer than all pages").isLessThan(slice.pages() / 4);
            }
            guest.startDirtyLog(); // again: what was written before is forgotten
            assertThat(guest.collectDirty(found)).isZero();
            guest.stopDirtyLog();
            assertThatThrownBy(() -> guest.collectDirty(found))
                    .isInstanceOf(GuestException.class)
                    .hasMessageContaining("dirty log is off");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void keepsItsDirtyRateOverAllVcpus(String name) throws Exception {
        long pagesPerSecond = 4000;
        VmSpec spec = spec(name, 16 * MIB, 2, new WorkloadSpec(8 * MIB, pagesPerSecond * 4096, false));
        try (Guest guest = driver(name).create(spec)) {
            long start = System.nanoTime();
            guest.run();
            pass(Duration.ofMillis(500).toNanos());
            guest.pause();
            double seconds = (System.nanoTime() - start) / 1e9;
            // never more than the clock allows; less only by what a busy machine forgives
            assertThat((double) total(guest)).isBetween(0.4 * pagesPerSecond * seconds, pagesPerSecond * seconds + 1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void aThrottledGuestWritesOnlyItsShareOfItsRateAndKeepsTheRule(String name) throws Exception {
        long pagesPerSecond = 8000;
        VmSpec spec = spec(name, 16 * MIB, 2, new WorkloadSpec(8 * MIB, pagesPerSecond * 4096, false));
        try (Guest guest = driver(name).create(spec)) {
            guest.throttle(80);
            long start = System.nanoTime();
            guest.run();
            pass(Duration.ofMillis(500).toNanos());
            guest.pause();
            double seconds = (System.nanoTime() - start) / 1e9;
            // a fifth; how exactly, ThrottleTest says: what a busy machine kept a thread waiting for is not paid for
            assertThat((double) total(guest)).isBetween(1.0, 0.4 * pagesPerSecond * seconds);
            assertThat(violation(spec, guest)).isEmpty();
            guest.throttle(0);
            runFor(guest, 2000);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void anIdleGuestRunsWithoutWriting(String name) throws Exception {
        VmSpec spec = spec(name, 4 * MIB, 1, new WorkloadSpec(0, 0, true));
        try (Guest guest = driver(name).create(spec)) {
            DirtyBitmap dirty = new DirtyBitmap(guest.memory().pages());
            guest.startDirtyLog();
            guest.run();
            pass(50_000_000);
            guest.pause();
            assertThat(guest.failure()).isEmpty();
            assertThat(total(guest)).isZero();
            guest.collectDirty(dirty);
            assertThat(dirty.nextSet(GuestLayout.SYSTEM_BYTES / GuestMemory.PAGE_SIZE))
                    .isEqualTo(-1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void closingFreesEverything(String name) throws Exception {
        VmSpec spec = spec(name, 64 * MIB, 2, FULL_SPEED);
        int before = openFiles();
        for (int i = 0; i < 20; i++) {
            Guest guest = driver(name).create(spec);
            guest.run();
            guest.close();
            guest.close(); // nothing the second time
            assertThatThrownBy(() -> guest.memory().segment().get(ValueLayout.JAVA_BYTE, 0))
                    .isInstanceOf(IllegalStateException.class);
            assertThatThrownBy(guest::run).isInstanceOf(GuestException.class).hasMessageContaining("closed");
        }
        assertThat(openFiles()).isLessThan(before + 20);
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void refusesASpecThatCannotBe(String name) {
        assertThatThrownBy(() -> driver(name).create(spec(name, 5 * MIB, 1, FULL_SPEED)))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("expected a multiple of 2 MiB");
        assertThatThrownBy(() -> driver(name).create(spec(name, 16 * MIB, 5, FULL_SPEED)))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("5 vCPUs; expected 1 to 4");
        assertThatThrownBy(() -> driver(name).create(spec(name, 480L << 30, 1, FULL_SPEED)))
                .isInstanceOf(GuestException.class)
                .hasMessageContaining("Cannot allocate memory");
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void refusesToReadStateWhileItRuns(String name) throws Exception {
        VmSpec spec = spec(name, 16 * MIB, 1, FULL_SPEED);
        try (Guest guest = driver(name).create(spec)) {
            guest.run();
            assertThatThrownBy(guest::writesCounted).hasMessageContaining("pause it first");
            assertThatThrownBy(() -> guest.saveVcpu(0)).hasMessageContaining("pause it first");
            guest.pause();
            byte[] state = guest.saveVcpu(0);
            guest.run();
            assertThatThrownBy(() -> guest.loadVcpu(0, state)).hasMessageContaining("pause it first");
        }
    }

    private static int openFiles() {
        String[] open = new java.io.File("/proc/self/fd").list();
        return open == null ? 0 : open.length;
    }
}
