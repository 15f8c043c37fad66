package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.agent.guest.GuestSettings;
import io.godwit.agent.kvm.KvmDriver;
import io.godwit.agent.soft.SoftDriver;
import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestDriver;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.WriteRule;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.locks.LockSupport;

/** What the tests of both drivers share: how a driver is had, specs, the oracle, and copying a guest page by page. */
final class NativeGuests {
    static final long MIB = 1L << 20;
    static final GuestSettings SETTINGS = GuestSettings.from(ConfigFactory.load());

    private NativeGuests() {}

    /** The driver, or a skip that says so aloud; a failure where {@code -Dgodwit.require=kvm} demands it. */
    static GuestDriver driver(String name) {
        if (name.equals(SoftDriver.NAME)) {
            return new SoftDriver(SETTINGS, System::nanoTime, daemon("soft"));
        }
        KvmDriver.Availability kvm = KvmDriver.available();
        Requirement.need(KvmDriver.NAME, kvm.available(), kvm.detail());
        return new KvmDriver(SETTINGS, System::nanoTime, daemon("kvm"));
    }

    private static ThreadFactory daemon(String name) {
        return Thread.ofPlatform().daemon().name("vcpu-" + name + "-", 0).factory();
    }

    static VmSpec spec(String driver, long memoryBytes, int vcpus, WorkloadSpec workload) {
        return new VmSpec("vm-1", driver, memoryBytes, vcpus, workload, List.of(), 300);
    }

    /** The first violation of the write rule in any vCPU's slice; the guest stands still. */
    static Optional<String> violation(VmSpec spec, Guest guest) throws GuestException {
        GuestLayout layout = new GuestLayout(spec);
        long[] counted = guest.writesCounted();
        for (int i = 0; i < counted.length; i++) {
            Optional<String> found = WriteRule.violation(guest.memory(), layout.slice(i), counted[i]);
            if (found.isPresent()) {
                return found;
            }
        }
        return Optional.empty();
    }

    static long total(Guest guest) throws GuestException {
        return Arrays.stream(guest.writesCounted()).sum();
    }

    /** Runs until at least {@code more} pages have been written, and pauses. */
    static void runFor(Guest guest, long more) throws GuestException {
        long target = total(guest) + more;
        long deadline = System.nanoTime() + 20_000_000_000L;
        long stretch = 500_000;
        do {
            guest.run();
            pass(stretch);
            stretch = Math.min(2 * stretch, 50_000_000);
            guest.pause();
            assertThat(guest.failure()).isEmpty();
            assertThat(System.nanoTime()).as("deadline for %d writes", more).isLessThan(deadline);
        } while (total(guest) < target);
    }

    /** Lets time pass: not a wait for something, but how long a guest may run. A park may end early, this does not. */
    static void pass(long nanos) {
        long end = System.nanoTime() + nanos;
        for (long left = nanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    static void copyAll(Guest from, Guest to) {
        MemorySegment.copy(
                from.memory().segment(),
                0,
                to.memory().segment(),
                0,
                from.memory().bytes());
    }

    /** Copies the marked pages and clears their marks. */
    static long copyDirty(DirtyBitmap dirty, Guest from, Guest to) {
        long copied = 0;
        for (long page = dirty.nextSet(0); page >= 0; page = dirty.nextSet(page + 1)) {
            dirty.clearRange(page, 1);
            long gpa = page * GuestMemory.PAGE_SIZE;
            MemorySegment.copy(from.memory().segment(), gpa, to.memory().segment(), gpa, GuestMemory.PAGE_SIZE);
            copied++;
        }
        return copied;
    }
}
