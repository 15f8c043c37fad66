package io.godwit.cli;

import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuNic;
import io.godwit.proto.vm.QemuSpec;

/** What only a QEMU guest has, for people: a row for each thing that it says. */
final class QemuText {
    private QemuText() {}

    static void rows(Table facts, QemuSpec qemu) {
        row(facts, "machine", qemu.machine());
        facts.row("accelerator", qemu.accelerator());
        for (QemuDisk disk : qemu.disks()) {
            facts.row(
                    "disk",
                    disk.path() + " (" + disk.format() + (disk.shared() ? ", shared)" : ", on its host alone)"));
        }
        for (QemuNic nic : qemu.nics()) {
            facts.row("nic", nic.model() + " on " + nic.backend() + (nic.mac().isEmpty() ? "" : ", " + nic.mac()));
        }
        qemu.kernel().ifPresent(path -> facts.row("kernel", path));
        qemu.initrd().ifPresent(path -> facts.row("initrd", path));
        row(facts, "append", qemu.append());
        row(facts, "capabilities", String.join(",", qemu.capabilities()));
        row(facts, "qemu arguments", String.join(" ", qemu.arguments()));
        row(facts, "workload", qemu.workload());
        qemu.adopt().ifPresent(socket -> facts.row("adopted from", socket));
    }

    private static void row(Table facts, String name, String value) {
        if (!value.isEmpty()) {
            facts.row(name, value);
        }
    }
}
