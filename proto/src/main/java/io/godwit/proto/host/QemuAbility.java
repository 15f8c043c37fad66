package io.godwit.proto.host;

import io.godwit.proto.WireMessage;
import io.godwit.proto.vm.QemuSpec;
import java.util.ArrayList;
import java.util.List;

/**
 * What the QEMU of a host can be, as it said when the agent started: a VM that needs more cannot go there.
 *
 * @param version such as {@code 7.2.22}
 * @param machines its machine types with their versions, such as {@code pc-i440fx-7.2}, and their aliases
 * @param cpus its CPU models
 * @param accelerators {@code tcg}, and {@code kvm} where it works
 * @param postcopy whether memory can be fetched after a guest has begun to run here (userfaultfd)
 */
public record QemuAbility(
        String version, List<String> machines, List<String> cpus, List<String> accelerators, boolean postcopy)
        implements WireMessage {
    public QemuAbility {
        machines = List.copyOf(machines);
        cpus = List.copyOf(cpus);
        accelerators = List.copyOf(accelerators);
    }

    /**
     * One thing that a VM needs and this QEMU does not have.
     *
     * @param need such as {@code machine type pc-q35-9.2}
     * @param found what is there instead, in words that follow the host's name
     */
    public record Missing(String need, String found) {}

    /** What is missing here for {@code vm}; what the VM leaves to its host is never missing. */
    public List<Missing> missing(QemuSpec vm) {
        List<Missing> missing = new ArrayList<>();
        if (!vm.machine().isEmpty() && !machines.contains(machineType(vm.machine()))) {
            missing.add(lacks("machine type " + machineType(vm.machine())));
        }
        vm.cpu().filter(model -> !cpus.contains(model)).ifPresent(model -> missing.add(lacks("CPU model " + model)));
        if (vm.accelerator().equals("kvm") && !accelerators.contains("kvm")) {
            missing.add(new Missing("accelerator kvm", "has no /dev/kvm that works"));
        }
        if (vm.postcopy() && !postcopy) {
            missing.add(new Missing("postcopy", "has no userfaultfd that works"));
        }
        return missing;
    }

    private Missing lacks(String what) {
        return new Missing(what, "has QEMU " + version + " without " + what);
    }

    /** The type may come with options, such as {@code q35,smm=off}. */
    private static String machineType(String machine) {
        int comma = machine.indexOf(',');
        return comma < 0 ? machine : machine.substring(0, comma);
    }
}
