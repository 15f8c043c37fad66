package io.godwit.stream;

/**
 * A device the stream will carry.
 *
 * @param name its name in the VM
 * @param model model and version of its state format, such as {@code gpu/1}
 */
public record DeviceIdentity(String name, String model) {}
