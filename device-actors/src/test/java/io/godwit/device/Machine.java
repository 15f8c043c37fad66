package io.godwit.device;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.GuestLayout;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/** A VM's worth of memory with one device in it, at one side of a migration. */
final class Machine implements AutoCloseable {
    static final Config CONFIG = ConfigFactory.load();
    static final long MIB = 1L << 20;

    final Arena arena = Arena.ofShared();
    final ManualTicker ticker = new ManualTicker();
    final DeviceFaults faults = new DeviceFaults();
    final GuestMemory memory = new GuestMemory(arena.allocate(8 * MIB, GuestMemory.PAGE_SIZE));
    final IommuSpace space;
    final GuestLayout layout;
    final VfioDevice device;

    Machine(DeviceSpec spec) throws DeviceException {
        this(spec, new ContainerSpec("c0", false, 0), models -> models);
    }

    Machine(DeviceSpec spec, ContainerSpec container) throws DeviceException {
        this(spec, container, models -> models);
    }

    /** With the device models that {@code more} makes of the standard ones. */
    Machine(DeviceSpec spec, UnaryOperator<DeviceModels> more) throws DeviceException {
        this(spec, new ContainerSpec("c0", false, 0), more);
    }

    private Machine(DeviceSpec spec, ContainerSpec container, UnaryOperator<DeviceModels> more) throws DeviceException {
        layout = new GuestLayout(new VmSpec(
                "vm0", "soft", 8 * MIB, 1, new WorkloadSpec(0, 0, false), List.of(spec), 1000, List.of(container), ""));
        space = IommuSpace.of("c0", memory, container.viommu(), CONFIG);
        device = more.apply(DeviceModels.withFaults(CONFIG, _ -> faults)).create(spec, layout, space, ticker);
    }

    static DeviceSpec gpu(long stateBytes, long stateRate, long dmaRate) {
        return new DeviceSpec("gpu0", "gpu", "c0", stateBytes, stateRate, 64 * 4096, dmaRate, "PERSISTENT");
    }

    static DeviceSpec nic(long stateBytes) {
        return new DeviceSpec("nic0", "nic", "c0", stateBytes, 40960, 4 * 4096, 1 << 20, "HARDWARE_TRACKED");
    }

    static DeviceSpec vnic(long stateBytes) {
        return new DeviceSpec("vnic0", "vnic", "c0", stateBytes, 40960, 4 * 4096, 1 << 20, "PERSISTENT");
    }

    void walk(DeviceState... steps) throws DeviceException {
        for (DeviceState next : steps) {
            device.step(next);
        }
    }

    void run() throws DeviceException {
        walkTo(DeviceState.RUNNING);
    }

    void walkTo(DeviceState target) throws DeviceException {
        while (MigTransitions.nextHop(device.state(), target, device.supportsPreCopy(), device.supportsP2p())
                instanceof MigTransitions.Hop.Step(var next)) {
            device.step(next);
        }
    }

    /** Reads chunks until nothing is left for now, or for good. */
    List<byte[]> drain(int bufferBytes) throws DeviceException {
        List<byte[]> chunks = new ArrayList<>();
        ByteBuffer buffer = ByteBuffer.allocateDirect(bufferBytes);
        while (device.read(buffer.clear()) > 0) {
            byte[] chunk = new byte[buffer.flip().remaining()];
            buffer.get(chunk);
            chunks.add(chunk);
        }
        return chunks;
    }

    @Override
    public void close() {
        device.close();
        arena.close();
    }
}
