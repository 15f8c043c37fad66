package io.godwit.device;

/**
 * VFIO migration device states, protocol v2, with the values of {@code enum vfio_device_mig_state} in linux/vfio.h, and
 * the v1 bit names under which the save and resume flows publish them.
 */
public enum DeviceState {
    /** Left only by a reset. */
    ERROR(0, "_SAVING|_RESUMING"),
    /** Stands still. */
    STOP(1, "_STOPPED"),
    /** Runs. */
    RUNNING(2, "_RUNNING"),
    /** Stands still and gives out its state. */
    STOP_COPY(3, "_SAVING"),
    /** Takes a state in. */
    RESUMING(4, "_RESUMING"),
    /** Runs, but starts no peer-to-peer DMA. */
    RUNNING_P2P(5, "_RUNNING"),
    /** Runs and gives out state. */
    PRE_COPY(6, "_RUNNING|_SAVING"),
    /** Runs without peer-to-peer DMA and gives out state. */
    PRE_COPY_P2P(7, "_RUNNING|_SAVING");

    private final int value;
    private final String bits;

    DeviceState(int value, String bits) {
        this.value = value;
        this.bits = bits;
    }

    /** Value in the kernel's enum. */
    public int value() {
        return value;
    }

    /** The v1 bits that correspond, by name. */
    public String bits() {
        return bits;
    }

    /** Whether the device does its work (and its DMA) in this state. */
    public boolean runs() {
        return this == RUNNING || this == RUNNING_P2P || this == PRE_COPY || this == PRE_COPY_P2P;
    }
}
