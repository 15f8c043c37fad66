package io.godwit.memory;

import java.util.Arrays;

/** How the pages that a device has pinned are reported as dirty. */
public enum ReportingPolicy {
    /** Every pinned page counts as dirty at every sync: known to be dirty at the stop, so held back until then. */
    PERSISTENT,
    /** The device's log tells which pages it has truly written; without it, as {@link #PERSISTENT}. */
    HARDWARE_TRACKED,
    /** Pinned pages are hidden until the stop, then all are dirty; predictions made before are not to be trusted. */
    STOP_COPY_ONLY;

    /**
     * The policy of that name, as in {@link io.godwit.proto.vm.DeviceSpec#dirtyReporting()}.
     *
     * @throws IllegalArgumentException naming it and the policies there are
     */
    public static ReportingPolicy parse(String name) {
        for (ReportingPolicy policy : values()) {
            if (policy.name().equals(name)) {
                return policy;
            }
        }
        throw new IllegalArgumentException(
                "dirty reporting '" + name + "'; expected one of " + Arrays.toString(values()));
    }
}
