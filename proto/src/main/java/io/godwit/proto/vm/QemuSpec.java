package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What a QEMU guest is made of beside memory and vCPUs.
 *
 * @param machine QEMU's machine type; empty for the host's default. The host that creates the VM settles it to the versioned
 *     name, such as {@code pc-i440fx-7.2}, because both ends of a migration must agree
 * @param accelerator {@code auto}, {@code kvm} or {@code tcg}; {@code auto} is settled by the host that creates the VM: kvm
 *     where it works
 * @param disks in boot order
 * @param nics in slot order
 * @param kernel path of a Linux kernel to boot directly
 * @param initrd path of its initial RAM disk
 * @param append its command line
 * @param capabilities migration capabilities beside those that every migration needs, such as {@code multifd} or {@code
 *     xbzrle}; set on both ends
 * @param arguments added to QEMU's command line as they are
 * @param adopt path of the QMP socket of a QEMU that somebody else has started and that is to be taken over; a destination
 *     starts its own
 * @param workload {@link #BOOT_SECTOR}: the guest is ours, boots from an image that every host makes for itself, and writes
 *     its memory by a rule as the VM's {@code WorkloadSpec} says; empty for any other guest
 * @param paused whether its operator has paused it, as its host has seen: it stands wherever it is moved, until its operator
 *     lets it run
 */
public record QemuSpec(
        String machine,
        String accelerator,
        List<QemuDisk> disks,
        List<QemuNic> nics,
        Optional<String> kernel,
        Optional<String> initrd,
        String append,
        List<String> capabilities,
        List<String> arguments,
        Optional<String> adopt,
        String workload,
        boolean paused)
        implements WireMessage {
    /** Name of the driver in a VM's spec. */
    public static final String DRIVER = "qemu";

    /** The workload whose memory can be checked from outside. */
    public static final String BOOT_SECTOR = "boot-sector";

    /** Nothing but defaults. */
    public static final QemuSpec DEFAULT = new QemuSpec(
            "",
            "auto",
            List.of(),
            List.of(),
            Optional.empty(),
            Optional.empty(),
            "",
            List.of(),
            List.of(),
            Optional.empty());

    public QemuSpec {
        disks = List.copyOf(disks);
        nics = List.copyOf(nics);
        capabilities = List.copyOf(capabilities);
        arguments = List.copyOf(arguments);
    }

    /** A guest that runs. */
    public QemuSpec(
            String machine,
            String accelerator,
            List<QemuDisk> disks,
            List<QemuNic> nics,
            Optional<String> kernel,
            Optional<String> initrd,
            String append,
            List<String> capabilities,
            List<String> arguments,
            Optional<String> adopt,
            String workload) {
        this(
                machine,
                accelerator,
                disks,
                nics,
                kernel,
                initrd,
                append,
                capabilities,
                arguments,
                adopt,
                workload,
                false);
    }

    /** A guest without a workload of ours. */
    public QemuSpec(
            String machine,
            String accelerator,
            List<QemuDisk> disks,
            List<QemuNic> nics,
            Optional<String> kernel,
            Optional<String> initrd,
            String append,
            List<String> capabilities,
            List<String> arguments,
            Optional<String> adopt) {
        this(machine, accelerator, disks, nics, kernel, initrd, append, capabilities, arguments, adopt, "", false);
    }

    /** Whether it may run at a destination before all of its memory is there. */
    public boolean postcopy() {
        return capabilities.contains("postcopy-ram");
    }

    /** The CPU model that {@code -cpu} among its arguments names; empty for the machine type's own. */
    public Optional<String> cpu() {
        int at = arguments.lastIndexOf("-cpu");
        return at < 0 || at + 1 == arguments.size()
                ? Optional.empty()
                : Optional.of(arguments.get(at + 1).split(",", 2)[0]);
    }

    /** The same guest as the host that created it has settled it. */
    public QemuSpec settled(String machineType, String accel) {
        return new QemuSpec(
                machineType,
                accel,
                disks,
                nics,
                kernel,
                initrd,
                append,
                capabilities,
                arguments,
                adopt,
                workload,
                paused);
    }

    /** The same guest in a QEMU of the host's own. */
    public QemuSpec own() {
        return new QemuSpec(
                machine,
                accelerator,
                disks,
                nics,
                kernel,
                initrd,
                append,
                capabilities,
                arguments,
                Optional.empty(),
                workload,
                paused);
    }

    /** The same guest with more arguments after its own. */
    public QemuSpec with(List<String> more) {
        List<String> all = new ArrayList<>(arguments);
        all.addAll(more);
        return new QemuSpec(
                machine, accelerator, disks, nics, kernel, initrd, append, capabilities, all, adopt, workload, paused);
    }

    /** The same guest, paused by its operator or not. */
    public QemuSpec paused(boolean stands) {
        return new QemuSpec(
                machine,
                accelerator,
                disks,
                nics,
                kernel,
                initrd,
                append,
                capabilities,
                arguments,
                adopt,
                workload,
                stands);
    }
}
