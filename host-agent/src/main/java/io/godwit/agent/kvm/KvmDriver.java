package io.godwit.agent.kvm;

import io.godwit.agent.guest.GuestSettings;
import io.godwit.agent.guest.HostRam;
import io.godwit.agent.guest.RunPermit;
import io.godwit.agent.guest.VcpuThreads;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestDriver;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.MemoryPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;

/** Makes guests on KVM, without QEMU. */
public final class KvmDriver implements GuestDriver {
    /** Its name in a VM's spec. */
    public static final String NAME = "kvm";

    private static final int API_VERSION = 12;

    /**
     * Whether this host can run KVM guests.
     *
     * @param available whether it can
     * @param detail why not, or what was found
     */
    public record Availability(boolean available, String detail) {}

    /** A capability without which the driver cannot work (linux/kvm.h). */
    private enum Capability {
        KVM_CAP_USER_MEMORY(3),
        KVM_CAP_EXT_CPUID(7),
        KVM_CAP_MP_STATE(14),
        KVM_CAP_SYNC_MMU(16),
        KVM_CAP_VCPU_EVENTS(41),
        KVM_CAP_DEBUGREGS(50),
        KVM_CAP_XSAVE(55),
        KVM_CAP_XCRS(56),
        KVM_CAP_IMMEDIATE_EXIT(136);

        private final int number;

        Capability(int number) {
            this.number = number;
        }
    }

    private final GuestSettings settings;
    private final MonotonicClock clock;
    private final ThreadFactory vcpuThreads;
    private final Function<VmSpec, RunPermit> permits;

    /** A driver whose vCPUs keep time by {@code clock} and run on platform threads from {@code vcpuThreads}. */
    public KvmDriver(GuestSettings settings, MonotonicClock clock, ThreadFactory vcpuThreads) {
        this(settings, clock, vcpuThreads, _ -> RunPermit.ALWAYS);
    }

    /** As the other one; a VM's vCPUs run while what {@code permits} has for it says so. */
    public KvmDriver(
            GuestSettings settings,
            MonotonicClock clock,
            ThreadFactory vcpuThreads,
            Function<VmSpec, RunPermit> permits) {
        this.permits = permits;
        this.settings = settings;
        this.clock = clock;
        this.vcpuThreads = vcpuThreads;
    }

    /** Whether /dev/kvm opens here, speaks API version 12, and has all that the driver needs. */
    public static Availability available() {
        String platform = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
        if (!platform.equals("Linux on amd64")) {
            return new Availability(false, "this is " + platform + "; expected Linux on amd64");
        }
        try (KvmFile system = KvmFile.openSystem()) {
            int version = system.call(KvmCall.KVM_GET_API_VERSION, 0);
            if (version != API_VERSION) {
                return new Availability(false, "/dev/kvm has API version " + version + "; expected " + API_VERSION);
            }
            for (Capability capability : Capability.values()) {
                if (system.call(KvmCall.KVM_CHECK_EXTENSION, capability.number) == 0) {
                    return new Availability(false, "/dev/kvm lacks " + capability);
                }
            }
            return new Availability(true, "/dev/kvm, API version " + version);
        } catch (GuestException e) {
            return new Availability(false, String.valueOf(e.getMessage()));
        }
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Guest create(VmSpec spec) throws GuestException {
        GuestLayout layout = layout(spec);
        HostRam ram = HostRam.map(spec.name(), spec.memoryBytes(), settings.hugePages(), false);
        if (spec.workload().fill()) {
            MemoryPattern.fill(ram.memory(), 0, spec.memoryBytes());
        }
        GuestProgram.install(ram.memory());
        return guest(spec, layout, ram, true);
    }

    @Override
    public Guest createIncoming(VmSpec spec) throws GuestException {
        GuestLayout layout = layout(spec);
        return guest(spec, layout, HostRam.map(spec.name(), spec.memoryBytes(), settings.hugePages(), true), false);
    }

    private Guest guest(VmSpec spec, GuestLayout layout, HostRam ram, boolean withState) throws GuestException {
        List<KvmVcpu> vcpus = new ArrayList<>();
        List<AutoCloseable> made = new ArrayList<>(List.of(ram));
        try {
            KvmVm vm = KvmVm.create(spec.name(), ram.memory());
            made.addFirst(vm);
            for (int i = 0; i < spec.vcpus(); i++) {
                KvmVcpu vcpu = new KvmVcpu(
                        i, layout.slice(i), GuestProgram.doorbellGpa(ram.memory()), vm.createVcpu(i), vm.runBytes());
                made.addFirst(vcpu);
                vcpus.add(vcpu);
                if (withState) {
                    vcpu.reset();
                }
                vcpu.proveMovable();
            }
            VcpuThreads threads = new VcpuThreads(spec, vcpus, settings, clock, vcpuThreads, permits.apply(spec));
            return new KvmGuest(spec.name(), ram, vm, vcpus, threads);
        } catch (GuestException e) {
            undo(made, e);
            throw e;
        }
    }

    private static void undo(List<AutoCloseable> made, GuestException cause) {
        for (AutoCloseable each : made) {
            try {
                each.close();
            } catch (Exception e) {
                cause.addSuppressed(e);
            }
        }
    }

    private static GuestLayout layout(VmSpec spec) throws GuestException {
        if (spec.memoryBytes() > GuestProgram.RAM_MAX) {
            throw new GuestException("VM " + spec.name() + ": memory of " + spec.memoryBytes()
                    + " bytes; the kvm driver maps at most " + GuestProgram.RAM_MAX);
        }
        try {
            return new GuestLayout(spec);
        } catch (IllegalArgumentException e) {
            throw new GuestException(String.valueOf(e.getMessage()), e);
        }
    }
}
