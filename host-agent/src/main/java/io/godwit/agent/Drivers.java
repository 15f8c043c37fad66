package io.godwit.agent;

import com.typesafe.config.Config;
import io.godwit.agent.guest.GuestSettings;
import io.godwit.agent.guest.RunPermit;
import io.godwit.agent.kvm.KvmDriver;
import io.godwit.agent.soft.SoftDriver;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.GuestDriver;
import io.godwit.vm.GuestException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadFactory;
import java.util.function.Function;

/** The guest drivers of this host, and what {@code auto} means here. Immutable. */
public final class Drivers {
    /** The name that leaves the choice to the host. */
    public static final String AUTO = "auto";

    private final SoftDriver soft;
    private final KvmDriver kvm;
    private final KvmDriver.Availability kvmAvailable;

    /** Over both drivers, and whether the second can be used. */
    public Drivers(SoftDriver soft, KvmDriver kvm, KvmDriver.Availability kvmAvailable) {
        this.soft = soft;
        this.kvm = kvm;
        this.kvmAvailable = kvmAvailable;
    }

    /**
     * Both drivers with the settings under {@code godwit.guest}, having looked whether /dev/kvm can be used.
     *
     * @param vcpuThreads makes the platform threads that vCPUs run on; threads that do not keep the process alive
     */
    public static Drivers detect(Config root, MonotonicClock clock, ThreadFactory vcpuThreads) {
        return detect(root, clock, vcpuThreads, _ -> RunPermit.ALWAYS);
    }

    /** As the other one; a VM's vCPUs run while what {@code permits} has for it says so. */
    public static Drivers detect(
            Config root, MonotonicClock clock, ThreadFactory vcpuThreads, Function<VmSpec, RunPermit> permits) {
        GuestSettings settings = GuestSettings.from(root);
        return new Drivers(
                new SoftDriver(settings, clock, vcpuThreads, permits),
                new KvmDriver(settings, clock, vcpuThreads, permits),
                KvmDriver.available());
    }

    /** Names a VM's spec may have here, {@code auto} apart. */
    public List<String> usable() {
        return kvmAvailable.available() ? List.of(KvmDriver.NAME, SoftDriver.NAME) : List.of(SoftDriver.NAME);
    }

    /** Whether KVM can be used, and why not. */
    public KvmDriver.Availability kvm() {
        return kvmAvailable;
    }

    /**
     * The same VM with {@code auto} settled: kvm where it can be used, else soft.
     *
     * @throws GuestException when the driver is unknown, or not to be had here
     */
    public VmSpec settle(VmSpec spec) throws GuestException {
        return spec.withDriver(of(spec).name());
    }

    /**
     * The driver for a VM.
     *
     * @throws GuestException when the driver is unknown, or not to be had here
     */
    public GuestDriver of(VmSpec spec) throws GuestException {
        return switch (spec.driver()) {
            case AUTO -> kvmAvailable.available() ? kvm : soft;
            case SoftDriver.NAME -> soft;
            case KvmDriver.NAME -> {
                if (!kvmAvailable.available()) {
                    throw new GuestException("VM " + spec.name() + ": driver kvm is not to be had on this host: "
                            + kvmAvailable.detail() + "; usable here: " + String.join(", ", accepted()));
                }
                yield kvm;
            }
            default ->
                throw new GuestException("VM " + spec.name() + ": driver '" + spec.driver() + "'; expected one of "
                        + String.join(", ", accepted()));
        };
    }

    private List<String> accepted() {
        List<String> names = new ArrayList<>(List.of(AUTO));
        names.addAll(usable());
        return names;
    }
}
