package io.godwit.cli;

import io.godwit.api.QemuBody;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of {@code vm create} for a QEMU guest. Files are named by their absolute paths on the hosts. */
final class QemuOptions {
    private static final List<String> DISK_KEYS = List.of("path", "format", "shared");
    private static final List<String> NIC_KEYS = List.of("model", "mac", "backend");
    private static final String BACKEND = "backend=";

    @Option(
            names = "--machine",
            paramLabel = "TYPE",
            description = "QEMU: machine type, such as q35 (default: the host's).")
    @Nullable
    String machine;

    @Option(
            names = "--accel",
            paramLabel = "ACCELERATOR",
            description = "QEMU: auto (default: kvm where it works, else tcg), kvm or tcg.")
    @Nullable
    String accelerator;

    @Option(
            names = "--disk",
            paramLabel = "path=PATH[,format=raw|qcow2][,shared=true|false]",
            description = "QEMU: a disk image; a VM with one that is not shared by all hosts stays where it is. May be"
                    + " repeated.")
    List<String> disks = new ArrayList<>();

    @Option(
            names = "--nic",
            paramLabel = "[model=MODEL,][mac=MAC,]backend=BACKEND",
            description = "QEMU: a network card (default virtio-net-pci) on a backend, which comes last, with its"
                    + " options, such as backend=tap,ifname=tap0,script=no. May be repeated.")
    List<String> nics = new ArrayList<>();

    @Option(names = "--kernel", paramLabel = "PATH", description = "QEMU: a Linux kernel to boot directly.")
    @Nullable
    String kernel;

    @Option(names = "--initrd", paramLabel = "PATH", description = "QEMU: its initial RAM disk.")
    @Nullable
    String initrd;

    @Option(names = "--append", paramLabel = "TEXT", description = "QEMU: its command line.")
    @Nullable
    String append;

    @Option(
            names = "--capability",
            paramLabel = "NAME",
            description = "QEMU: a migration capability for both ends, such as multifd. May be repeated.")
    List<String> capabilities = new ArrayList<>();

    @Option(
            names = "--qemu-arg",
            paramLabel = "ARGUMENT",
            description = "QEMU: one more argument of its command line, as it is. May be repeated.")
    List<String> arguments = new ArrayList<>();

    @Option(
            names = "--workload",
            paramLabel = "WORKLOAD",
            description = "QEMU: boot-sector, a guest that writes --working-set at --dirty-rate by a rule that"
                    + " 'vm check' checks.")
    @Nullable
    String workload;

    @Option(
            names = "--adopt",
            paramLabel = "QMP-SOCKET",
            description = "QEMU: take over the one that runs already behind this socket.")
    @Nullable
    String adopt;

    /**
     * What was asked for.
     *
     * @param driver of the VM
     * @return null for a VM with another driver and none of these options
     * @throws CliFailure for options of a QEMU guest with another driver, or a disk or NIC that cannot be read
     */
    @Nullable
    QemuBody body(String driver) {
        if (!driver.equals("qemu")) {
            given().findFirst().ifPresent(option -> {
                throw CliFailure.usage(option + " is for QEMU guests; expected --driver qemu with it, not " + driver);
            });
            return null;
        }
        return new QemuBody(
                machine,
                accelerator,
                disks.stream().map(QemuOptions::disk).toList(),
                nics.stream().map(QemuOptions::nic).toList(),
                kernel,
                initrd,
                append,
                capabilities,
                arguments,
                workload,
                adopt);
    }

    /** The options that were given, by name. */
    private Stream<String> given() {
        return Stream.of(
                        named("--machine", machine != null),
                        named("--accel", accelerator != null),
                        named("--disk", !disks.isEmpty()),
                        named("--nic", !nics.isEmpty()),
                        named("--kernel", kernel != null),
                        named("--initrd", initrd != null),
                        named("--append", append != null),
                        named("--capability", !capabilities.isEmpty()),
                        named("--qemu-arg", !arguments.isEmpty()),
                        named("--workload", workload != null),
                        named("--adopt", adopt != null))
                .flatMap(option -> option);
    }

    private static Stream<String> named(String option, boolean used) {
        return used ? Stream.of(option) : Stream.empty();
    }

    private static QemuBody.Disk disk(String text) {
        KeyValues values = new KeyValues("--disk", text, text.split(",", -1), 0, DISK_KEYS);
        if (!values.given().containsKey("path")) {
            throw CliFailure.usage(
                    "--disk '" + text + "': no path; expected that of an image, such as path=/srv/vm.raw,shared=true");
        }
        return new QemuBody.Disk(values.given().get("path"), values.given().get("format"), values.truth("shared"));
    }

    private static QemuBody.Nic nic(String text) {
        int backend = text.startsWith(BACKEND) ? 0 : text.indexOf("," + BACKEND) + 1;
        if (!text.startsWith(BACKEND, backend)) {
            throw CliFailure.usage("--nic '" + text
                    + "': no backend; expected one at the end, such as model=virtio-net-pci,backend=user");
        }
        String[] parts =
                backend == 0 ? new String[0] : text.substring(0, backend - 1).split(",", -1);
        KeyValues values = new KeyValues("--nic", text, parts, 0, NIC_KEYS);
        return new QemuBody.Nic(
                values.given().get("model"),
                text.substring(backend + BACKEND.length()),
                values.given().get("mac"));
    }
}
