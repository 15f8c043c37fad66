package io.godwit.device;

/**
 * Which optional states of protocol v2 a device has.
 *
 * @param preCopy whether it has PRE_COPY; it may still have nothing to give out there
 * @param p2p whether it has the P2P states, without which it cannot be one of several in a VM that migrates
 */
public record DeviceCapabilities(boolean preCopy, boolean p2p) {}
