package io.godwit.device;

import java.util.EnumSet;
import java.util.Set;

/** What a model device can be made to fail in, beside the steps of its state machine ({@link DeviceFaults}). */
public enum DeviceOperation {
    /** Tells what it has to give out while it runs. */
    PRECOPY_INFO("counting what is left while it runs"),
    /** Tells what it would give out if it were stopped now. */
    STOP_COPY_BYTES("counting what is left"),
    /** Gives out state. */
    READ("reading its state"),
    /** Takes state in. */
    WRITE("taking state in"),
    /** Gives out its config space. */
    SAVE_CONFIG("saving its config space"),
    /** Takes its config space in. */
    LOAD_CONFIG("restoring its config space"),
    /** Digests its state. */
    DIGEST("digesting its state"),
    /** Is reset. */
    RESET("its reset");

    private final String what;

    DeviceOperation(String what) {
        this.what = what;
    }

    /** In words. */
    String what() {
        return what;
    }

    /** The faults it can have. */
    Set<DeviceFault> faults() {
        return switch (this) {
            case READ -> EnumSet.allOf(DeviceFault.class);
            case PRECOPY_INFO, STOP_COPY_BYTES, WRITE, SAVE_CONFIG ->
                EnumSet.complementOf(EnumSet.of(DeviceFault.ENDED));
            // a digest, a config taken in and a reset have no part that could be missing
            case LOAD_CONFIG, DIGEST, RESET -> EnumSet.complementOf(EnumSet.of(DeviceFault.ENDED, DeviceFault.SHORT));
        };
    }
}
