package io.godwit.agent.qemu;

import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuNic;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/**
 * QEMU's command line for a VM. Every guest starts stopped ({@code -S}): its agent alone lets it run, under a grant. Both ends
 * of a migration get the same line but for {@code -incoming defer} and their own files.
 */
final class QemuCommandLine {
    private QemuCommandLine() {}

    /** The arguments, the program first; {@code incoming}: to be loaded by a migration. */
    static List<String> of(String binary, VmSpec spec, QemuFiles files, boolean incoming) {
        QemuSpec qemu = spec.qemu().orElse(QemuSpec.DEFAULT);
        List<String> line = new ArrayList<>(List.of(
                binary,
                "-name",
                "guest=" + escape(spec.name()),
                "-uuid",
                uuid(spec).toString(),
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-machine",
                qemu.machine().isEmpty() ? "pc" : qemu.machine(),
                "-accel",
                qemu.accelerator(),
                "-m",
                "size=" + spec.memoryBytes() + "B",
                "-smp",
                String.valueOf(spec.vcpus()),
                "-S",
                "-pidfile",
                files.pid().toString(),
                "-qmp",
                listen(files.qmp()),
                "-qmp",
                listen(files.oob()),
                "-chardev",
                "file,id=serial0,append=on,path=" + escape(files.serial().toString()),
                "-serial",
                "chardev:serial0"));
        if (incoming) {
            line.addAll(List.of("-incoming", "defer"));
        }
        boolean ours = !qemu.workload().isEmpty();
        if (ours) {
            // read-only, so that it is no state of the VM, and both ends of a migration have their own
            line.addAll(List.of(
                    "-drive",
                    "if=none,id=workload,format=raw,readonly=on,file="
                            + escape(files.image().toString()),
                    "-device",
                    "virtio-blk-pci,drive=workload,bootindex=0"));
        }
        for (int i = 0; i < qemu.disks().size(); i++) {
            QemuDisk disk = qemu.disks().get(i);
            line.addAll(List.of(
                    "-drive",
                    "if=none,id=disk" + i + ",format=" + escape(disk.format()) + ",file=" + escape(disk.path()),
                    "-device",
                    "virtio-blk-pci,drive=disk" + i + ",bootindex=" + (ours ? i + 1 : i)));
        }
        for (int i = 0; i < qemu.nics().size(); i++) {
            QemuNic nic = qemu.nics().get(i);
            line.addAll(List.of(
                    "-netdev",
                    nic.backend() + ",id=net" + i,
                    "-device",
                    nic.model() + ",netdev=net" + i + (nic.mac().isEmpty() ? "" : ",mac=" + nic.mac())));
        }
        qemu.kernel().ifPresent(path -> line.addAll(List.of("-kernel", path)));
        qemu.initrd().ifPresent(path -> line.addAll(List.of("-initrd", path)));
        if (!qemu.append().isEmpty()) {
            line.addAll(List.of("-append", qemu.append()));
        }
        line.addAll(qemu.arguments());
        return List.copyOf(line);
    }

    /** The VM's UUID: the same wherever it is started, so that a destination can tell that it gets the right VM. */
    static UUID uuid(VmSpec spec) {
        return UUID.nameUUIDFromBytes(("godwit:" + spec.name()).getBytes(StandardCharsets.UTF_8));
    }

    private static String listen(Path socket) {
        return "unix:" + escape(socket.toString()) + ",server=on,wait=off";
    }

    /** A comma ends a value in QEMU's option syntax; two of them are one. */
    private static String escape(String value) {
        return value.replace(",", ",,");
    }
}
