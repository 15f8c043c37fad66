package io.godwit.agent.qemu;

import io.godwit.proto.host.QemuAbility;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a host lends to its QEMU guests beside what it lends to every VM; all of it replaceable in a test.
 *
 * @param binary the program
 * @param ability what that program can be; empty when it did not say: then nothing new is started
 * @param freeMemory memory that this machine can give to new processes, in bytes
 * @param root folder of the guests' folders
 * @param launcher starts and finds the processes
 * @param links opens a monitor's socket
 * @param kvm whether QEMU may use KVM here
 * @param kvmDetail why not, if not
 * @param settings limits
 * @param learnt what past standstills have taught
 */
public record QemuHost(
        String binary,
        Optional<QemuAbility> ability,
        LongSupplier freeMemory,
        Path root,
        QemuLauncher launcher,
        Function<Path, QmpLink.Opener> links,
        boolean kvm,
        String kvmDetail,
        QemuSettings settings,
        QemuLearnt learnt) {
    /** Name of the driver in a VM's spec. */
    public static final String DRIVER = QemuSpec.DRIVER;

    private static final Logger LOG = LoggerFactory.getLogger(QemuHost.class);

    /** QEMU at {@code binary}, with real processes and sockets. Blocks: the program is asked what it can be. */
    public static QemuHost real(Path binary, Path root, boolean kvm, String kvmDetail, QemuSettings settings) {
        QmpSettings qmp = settings.qmp();
        return new QemuHost(
                binary.toString(),
                ability(binary, kvm, settings),
                MachineMemory::available,
                root,
                new HostProcesses(settings),
                socket -> () -> UnixQmpLink.open(socket, qmp.readBytes(), qmp.lineBytesMax()),
                kvm,
                kvmDetail,
                settings,
                new QemuLearnt());
    }

    private static Optional<QemuAbility> ability(Path binary, boolean kvm, QemuSettings settings) {
        try {
            return Optional.of(QemuProbe.ask(binary, kvm, settings.startTimeout()));
        } catch (IOException e) {
            LOG.error("no QEMU guest can be started here; those that run are kept", e);
            return Optional.empty();
        }
    }

    /**
     * Folders of guests that an earlier agent has left here. Blocks.
     *
     * @throws IOException when the folder cannot be read
     */
    public List<Path> left() throws IOException {
        if (!Files.isDirectory(root)) {
            return List.of();
        }
        List<Path> folders = new ArrayList<>();
        try (Stream<Path> entries = Files.list(root)) {
            entries.filter(folder -> Files.exists(new QemuFiles(folder.toAbsolutePath()).manifest()))
                    .sorted()
                    .map(Path::toAbsolutePath)
                    .forEach(folders::add);
        }
        LOG.info("{} QEMU guests of an earlier agent in {}", folders.size(), root);
        return folders;
    }

    /**
     * Refuses a VM that needs what this QEMU does not have, naming all of it.
     *
     * @throws GuestException when something is missing
     */
    void requireAbility(VmSpec spec) throws GuestException {
        if (ability.isEmpty()) {
            throw new GuestException("VM " + spec.name() + ": " + binary
                    + " did not say what it can be when the agent started; see the agent's log");
        }
        List<QemuAbility.Missing> missing = ability.get().missing(spec.qemu().orElse(QemuSpec.DEFAULT));
        if (!missing.isEmpty()) {
            throw new GuestException("VM " + spec.name() + ": this host "
                    + missing.stream().map(QemuAbility.Missing::found).collect(Collectors.joining(" and ")));
        }
    }

    /**
     * Refuses a VM that the machine has no memory for: QEMU would start all the same, and be killed when its guest uses it.
     *
     * @throws IOException when there is too little now
     */
    void requireMemory(VmSpec spec) throws IOException {
        long free = freeMemory.getAsLong();
        if (free < spec.memoryBytes()) {
            throw new IOException("VM " + spec.name() + " needs " + spec.memoryBytes()
                    + " bytes of memory; this machine can give " + free);
        }
    }

    /**
     * The accelerator for {@code spec}: {@code auto} is kvm where it works.
     *
     * @throws GuestException when it names one that is not to be had here
     */
    String accelerator(VmSpec spec) throws GuestException {
        String wanted = spec.qemu().map(qemu -> qemu.accelerator()).orElse("auto");
        return switch (wanted) {
            case "auto" -> kvm ? "kvm" : "tcg";
            case "tcg" -> "tcg";
            case "kvm" -> {
                if (!kvm) {
                    throw new GuestException(
                            "VM " + spec.name() + ": accelerator kvm is not to be had on this host: " + kvmDetail);
                }
                yield "kvm";
            }
            default ->
                throw new GuestException(
                        "VM " + spec.name() + ": accelerator '" + wanted + "'; expected one of auto, kvm, tcg");
        };
    }
}
