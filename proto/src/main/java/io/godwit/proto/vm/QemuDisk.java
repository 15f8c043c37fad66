package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;

/**
 * A disk of a QEMU guest.
 *
 * @param path of its image, the same on every host that shares it
 * @param format such as {@code raw} or {@code qcow2}
 * @param shared whether every host reaches the same image; a VM with a disk that is not stays where it is
 */
public record QemuDisk(String path, String format, boolean shared) implements WireMessage {}
