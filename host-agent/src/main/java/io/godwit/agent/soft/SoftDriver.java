package io.godwit.agent.soft;

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
import io.godwit.vm.GuestMemory;
import io.godwit.vm.MemoryPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;

/** Makes guests whose vCPUs are Java threads: no hypervisor needed, the same write rule and the same contract. */
public final class SoftDriver implements GuestDriver {
    /** Its name in a VM's spec. */
    public static final String NAME = "soft";

    private final GuestSettings settings;
    private final MonotonicClock clock;
    private final ThreadFactory vcpuThreads;
    private final Function<VmSpec, RunPermit> permits;

    /** A driver whose vCPUs keep time by {@code clock} on platform threads from {@code vcpuThreads}. */
    public SoftDriver(GuestSettings settings, MonotonicClock clock, ThreadFactory vcpuThreads) {
        this(settings, clock, vcpuThreads, _ -> RunPermit.ALWAYS);
    }

    /** As the other one; a VM's vCPUs run while what {@code permits} has for it says so. */
    public SoftDriver(
            GuestSettings settings,
            MonotonicClock clock,
            ThreadFactory vcpuThreads,
            Function<VmSpec, RunPermit> permits) {
        this.permits = permits;
        this.settings = settings;
        this.clock = clock;
        this.vcpuThreads = vcpuThreads;
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
        return guest(spec, layout, ram, true);
    }

    @Override
    public Guest createIncoming(VmSpec spec) throws GuestException {
        GuestLayout layout = layout(spec);
        return guest(spec, layout, HostRam.map(spec.name(), spec.memoryBytes(), settings.hugePages(), true), false);
    }

    private Guest guest(VmSpec spec, GuestLayout layout, HostRam ram, boolean hasState) {
        SoftDirtyLog log = new SoftDirtyLog(spec.memoryBytes() / GuestMemory.PAGE_SIZE);
        List<SoftVcpu> vcpus = new ArrayList<>();
        for (int i = 0; i < spec.vcpus(); i++) {
            vcpus.add(new SoftVcpu(i, layout.slice(i), ram.memory(), log, hasState));
        }
        return new SoftGuest(
                spec.name(),
                ram,
                log,
                vcpus,
                new VcpuThreads(spec, vcpus, settings, clock, vcpuThreads, permits.apply(spec)));
    }

    private static GuestLayout layout(VmSpec spec) throws GuestException {
        try {
            return new GuestLayout(spec);
        } catch (IllegalArgumentException e) {
            throw new GuestException(String.valueOf(e.getMessage()), e);
        }
    }
}
