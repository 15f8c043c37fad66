package io.godwit.device;

import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;

/**
 * Faults of a model device that can be switched on while it works, for tests and chaos runs; all off at first. A switch
 * stays on until {@link #clear()}. Safe for any thread.
 */
public final class DeviceFaults {
    private final Set<DeviceState> refused = Collections.synchronizedSet(EnumSet.noneOf(DeviceState.class));
    private final Set<DeviceState> broken = Collections.synchronizedSet(EnumSet.noneOf(DeviceState.class));
    private final DmaLoggingFaults dmaLogging = new DmaLoggingFaults();
    private volatile boolean failRead;
    private volatile boolean failWrite;
    private volatile boolean failLoadConfig;

    /** Steps into {@code next} fail; the device stays where it stands. */
    public void failStep(DeviceState next) {
        refused.add(next);
    }

    /** Steps into {@code next} fail and leave the device in ERROR. */
    public void breakStep(DeviceState next) {
        broken.add(next);
    }

    /** Reading state fails. */
    public void failRead() {
        failRead = true;
    }

    /** Taking state in fails. */
    public void failWrite() {
        failWrite = true;
    }

    /** Restoring the config space fails. */
    public void failLoadConfig() {
        failLoadConfig = true;
    }

    /** Faults of its log of DMA writes; {@link #clear()} switches them off too. */
    public DmaLoggingFaults dmaLogging() {
        return dmaLogging;
    }

    /** Everything works again. */
    public void clear() {
        dmaLogging.clear();
        refused.clear();
        broken.clear();
        failRead = false;
        failWrite = false;
        failLoadConfig = false;
    }

    boolean refuses(DeviceState next) {
        return refused.contains(next);
    }

    boolean breaks(DeviceState next) {
        return broken.contains(next);
    }

    void beforeRead(String device) throws DeviceException {
        fail(failRead, device, "reading its state");
    }

    void beforeWrite(String device) throws DeviceException {
        fail(failWrite, device, "taking state in");
    }

    void beforeLoadConfig(String device) throws DeviceException {
        fail(failLoadConfig, device, "restoring its config space");
    }

    private static void fail(boolean on, String device, String what) throws DeviceException {
        if (on) {
            throw new DeviceException("device " + device + ": " + what + " failed (fault switched on)");
        }
    }
}
