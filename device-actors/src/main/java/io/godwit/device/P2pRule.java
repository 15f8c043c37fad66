package io.godwit.device;

import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Several devices of one VM stop one after the other. Until the last has stopped, one that still runs could write into
 * the memory of one that has stopped, unless all are in a P2P state by then; so a VM with several devices migrates only if
 * each has these states. (QEMU, hw/vfio/migration.c, vfio_multiple_devices_migration_is_supported.)
 */
public final class P2pRule {
    private P2pRule() {}

    /**
     * Why the VM cannot be migrated, naming the devices at fault; empty when it can. A device of a model that is not
     * known here is not judged: it cannot be made here.
     */
    public static Optional<String> refusal(VmSpec vm, DeviceModels models) {
        if (vm.devices().size() < 2) {
            return Optional.empty();
        }
        List<DeviceSpec> lacking = vm.devices().stream()
                .filter(models::knows)
                .filter(device -> !models.capabilities(device).p2p())
                .toList();
        if (lacking.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of("VM " + vm.name() + " has " + vm.devices().size()
                + " devices, and to be migrated each of several must support P2P: "
                + lacking.stream()
                        .map(device -> device.name() + " (model " + device.model() + ")")
                        .collect(Collectors.joining(", "))
                + (lacking.size() == 1 ? " does not" : " do not"));
    }
}
