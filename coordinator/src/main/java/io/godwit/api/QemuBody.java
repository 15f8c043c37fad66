package io.godwit.api;

import io.godwit.proto.vm.QemuDisk;
import io.godwit.proto.vm.QemuNic;
import io.godwit.proto.vm.QemuSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What only a QEMU guest has: field {@code qemu} of {@code POST /api/v1/vms}. Paths are those of the hosts, so whether a file
 * is there is for the host to say.
 *
 * @param machine QEMU's machine type; the host's default unless given
 * @param accelerator {@code auto} (default: kvm where it works), {@code kvm} or {@code tcg}
 * @param disks none unless given
 * @param nics none unless given
 * @param kernel path of a Linux kernel to boot directly
 * @param initrd path of its initial RAM disk
 * @param append its command line
 * @param capabilities migration capabilities beside those that every migration needs
 * @param arguments added to QEMU's command line as they are
 * @param workload {@code boot-sector} for a guest of ours that writes memory by a rule; none unless given
 * @param adopt path of the QMP socket of a QEMU that runs already and is to be taken over
 */
public record QemuBody(
        @Nullable String machine,
        @Nullable String accelerator,
        @Nullable List<Disk> disks,
        @Nullable List<Nic> nics,
        @Nullable String kernel,
        @Nullable String initrd,
        @Nullable String append,
        @Nullable List<String> capabilities,
        @Nullable List<String> arguments,
        @Nullable String workload,
        @Nullable String adopt) {
    /** What a QEMU guest gets that says nothing. */
    public static final QemuBody NONE = new QemuBody(null, null, null, null, null, null, null, null, null, null, null);

    private static final List<String> ACCELERATORS = List.of("auto", "kvm", "tcg");
    private static final List<String> FORMATS = List.of("raw", "qcow2");
    private static final Pattern WORD = Pattern.compile("[A-Za-z0-9._-]+");
    private static final Pattern MAC = Pattern.compile("([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}");

    /**
     * A disk.
     *
     * @param path of its image; required, absolute
     * @param format {@code raw} unless given, or {@code qcow2}
     * @param shared whether every host reaches the same image; false unless given, and then the VM stays where it is
     */
    public record Disk(
            @Nullable String path,
            @Nullable String format,
            @Nullable Boolean shared) {}

    /**
     * A network card.
     *
     * @param model {@code virtio-net-pci} unless given
     * @param backend required: QEMU's network backend with its options, such as {@code user}
     * @param mac QEMU's own choice unless given
     */
    public record Nic(
            @Nullable String model,
            @Nullable String backend,
            @Nullable String mac) {}

    /** A guest of ours with the boot-sector workload, and {@code arguments} beside. */
    public static QemuBody bootSector(List<String> arguments) {
        return new QemuBody(null, null, null, null, null, null, null, null, arguments, QemuSpec.BOOT_SECTOR, null);
    }

    /**
     * The guest it asks for.
     *
     * @throws ApiProblem 400, naming the field, what was wrong and what was expected
     */
    public QemuSpec spec() {
        QemuSpec spec = new QemuSpec(
                machine == null ? "" : word("qemu.machine", machine, "a machine type, such as q35"),
                oneOf("qemu.accelerator", accelerator == null ? "auto" : accelerator, ACCELERATORS),
                diskSpecs(),
                nicSpecs(),
                path("qemu.kernel", kernel),
                path("qemu.initrd", initrd),
                append == null ? "" : append,
                words("qemu.capabilities", capabilities, "a migration capability, such as multifd"),
                arguments == null ? List.of() : given("qemu.arguments", arguments),
                path("qemu.adopt", adopt),
                workload == null ? "" : oneOf("qemu.workload", workload, List.of(QemuSpec.BOOT_SECTOR)));
        if (spec.kernel().isEmpty()
                && (spec.initrd().isPresent() || !spec.append().isEmpty())) {
            throw wrong(
                    spec.initrd().isPresent() ? "qemu.initrd" : "qemu.append",
                    "is given without a kernel",
                    "qemu.kernel with it");
        }
        if (!spec.workload().isEmpty() && spec.kernel().isPresent()) {
            throw wrong("qemu.workload", "boots from an image of its own", "no qemu.kernel with it");
        }
        if (!spec.workload().isEmpty() && spec.adopt().isPresent()) {
            throw wrong(
                    "qemu.workload", "is given for a QEMU that runs already", "no workload for a QEMU to be adopted");
        }
        return spec;
    }

    private List<QemuDisk> diskSpecs() {
        List<QemuDisk> specs = new ArrayList<>();
        for (Disk disk : disks == null ? List.<Disk>of() : given("qemu.disks", disks)) {
            String at = "qemu.disks[" + specs.size() + "].";
            specs.add(new QemuDisk(
                    path(at + "path", disk.path()).orElseThrow(() -> missing(at + "path", "the path of an image")),
                    oneOf(at + "format", disk.format() == null ? "raw" : disk.format(), FORMATS),
                    Boolean.TRUE.equals(disk.shared())));
        }
        return specs;
    }

    private List<QemuNic> nicSpecs() {
        List<QemuNic> specs = new ArrayList<>();
        for (Nic nic : nics == null ? List.<Nic>of() : given("qemu.nics", nics)) {
            String at = "qemu.nics[" + specs.size() + "].";
            if (nic.backend() == null || nic.backend().isBlank()) {
                throw missing(at + "backend", "a network backend of QEMU, such as user");
            }
            if (nic.mac() != null && !MAC.matcher(nic.mac()).matches()) {
                throw wrong(at + "mac", "is '" + nic.mac() + "'", "six pairs of hex digits, such as 52:54:00:12:34:56");
            }
            specs.add(new QemuNic(
                    nic.model() == null ? "virtio-net-pci" : word(at + "model", nic.model(), "a device of QEMU"),
                    nic.backend(),
                    nic.mac() == null ? "" : nic.mac()));
        }
        return specs;
    }

    private static Optional<String> path(String field, @Nullable String value) {
        if (value != null && (value.indexOf('\0') >= 0 || !Path.of(value).isAbsolute())) {
            throw wrong(field, "is '" + value + "'", "an absolute path on the hosts");
        }
        return Optional.ofNullable(value);
    }

    private static List<String> words(String field, @Nullable List<String> values, String what) {
        List<String> all = values == null ? List.of() : given(field, values);
        for (int i = 0; i < all.size(); i++) {
            String _ = word(field + "[" + i + "]", all.get(i), what);
        }
        return all;
    }

    /** Parts of comma-separated options of QEMU: none may add an option of its own. */
    private static String word(String field, String value, String what) {
        if (!WORD.matcher(value).matches()) {
            throw wrong(field, "is '" + value + "'", what);
        }
        return value;
    }

    private static <T> List<T> given(String field, List<T> values) {
        for (int i = 0; i < values.size(); i++) {
            if (values.get(i) == null) {
                throw ApiProblem.badRequest("field '" + field + "[" + i + "]' is null; expected a value");
            }
        }
        return values;
    }

    private static String oneOf(String field, String value, List<String> allowed) {
        if (!allowed.contains(value)) {
            throw wrong(
                    field,
                    "is '" + value + "'",
                    allowed.size() == 1 ? allowed.getFirst() : "one of " + String.join(", ", allowed));
        }
        return value;
    }

    private static ApiProblem missing(String field, String expected) {
        return ApiProblem.badRequest("field '" + field + "' is missing; expected " + expected);
    }

    private static ApiProblem wrong(String field, String what, String expected) {
        return ApiProblem.badRequest("field '" + field + "' " + what + "; expected " + expected);
    }
}
