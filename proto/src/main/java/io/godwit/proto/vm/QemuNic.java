package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;

/**
 * A network card of a QEMU guest.
 *
 * @param model QEMU's device, such as {@code virtio-net-pci}
 * @param backend QEMU's network backend with its options, such as {@code user} or {@code tap,ifname=tap0,script=no}
 * @param mac hardware address; empty for QEMU's own choice
 */
public record QemuNic(String model, String backend, String mac) implements WireMessage {}
