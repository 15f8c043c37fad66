package io.godwit.stream;

/**
 * A device the stream will carry.
 *
 * @param name its name in the VM
 * @param model model and version of its state format, such as {@code gpu/1}
 * @param preCopy whether it gives out state while it runs
 */
public record DeviceIdentity(String name, String model, boolean preCopy) {}
