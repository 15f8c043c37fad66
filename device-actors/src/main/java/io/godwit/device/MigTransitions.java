package io.godwit.device;

import static io.godwit.device.DeviceState.ERROR;
import static io.godwit.device.DeviceState.PRE_COPY;
import static io.godwit.device.DeviceState.PRE_COPY_P2P;
import static io.godwit.device.DeviceState.RESUMING;
import static io.godwit.device.DeviceState.RUNNING;
import static io.godwit.device.DeviceState.RUNNING_P2P;
import static io.godwit.device.DeviceState.STOP;
import static io.godwit.device.DeviceState.STOP_COPY;

/**
 * Which single step leads from one device state towards another. The table is the kernel's (vfio_mig_get_next_state in
 * drivers/vfio/vfio_main.c); read a row as "from", a branch as "when it is to arrive there". Only a reset leaves {@link
 * DeviceState#ERROR}, which is never a destination.
 */
public final class MigTransitions {
    private MigTransitions() {}

    /** The answer to "what next?". */
    public sealed interface Hop {
        /** It stands where it was to go. */
        record There() implements Hop {}

        /** One step, which the device must support. */
        record Step(DeviceState next) implements Hop {}

        /** No way leads there: why. */
        record Refused(String reason) implements Hop {}
    }

    /**
     * The next step of a device that stands in {@code from} and is to arrive in {@code to}; states that the device does
     * not have are skipped.
     *
     * @param preCopy whether the device has the pre-copy states
     * @param p2p whether the device has the P2P states
     */
    public static Hop nextHop(DeviceState from, DeviceState to, boolean preCopy, boolean p2p) {
        if (!supported(from, preCopy, p2p) || !supported(to, preCopy, p2p)) {
            DeviceState missing = supported(from, preCopy, p2p) ? to : from;
            return new Hop.Refused("the device has no state " + missing);
        }
        DeviceState next = towards(from, to);
        while (!supported(next, preCopy, p2p)) {
            next = towards(next, to);
        }
        if (next == ERROR) {
            return new Hop.Refused(
                    "no step leads from " + from + " to " + to + (from == ERROR ? ": only a reset leaves ERROR" : ""));
        }
        return from == to ? new Hop.There() : new Hop.Step(next);
    }

    /** Whether {@code from} to {@code to} is one single step of a device with these optional states. */
    public static boolean isStep(DeviceState from, DeviceState to, boolean preCopy, boolean p2p) {
        return nextHop(from, to, preCopy, p2p) instanceof Hop.Step(var next) && next == to;
    }

    private static boolean supported(DeviceState state, boolean preCopy, boolean p2p) {
        return switch (state) {
            case ERROR, STOP, RUNNING, STOP_COPY, RESUMING -> true;
            case RUNNING_P2P -> p2p;
            case PRE_COPY -> preCopy;
            case PRE_COPY_P2P -> preCopy && p2p;
        };
    }

    private static DeviceState towards(DeviceState from, DeviceState to) {
        if (to == ERROR) {
            return ERROR;
        }
        return switch (from) {
            case ERROR -> ERROR;
            case STOP ->
                switch (to) {
                    case STOP, STOP_COPY, RESUMING -> to;
                    case ERROR, RUNNING, PRE_COPY, PRE_COPY_P2P, RUNNING_P2P -> RUNNING_P2P;
                };
            case RUNNING ->
                switch (to) {
                    case RUNNING, PRE_COPY -> to;
                    case ERROR, STOP, PRE_COPY_P2P, STOP_COPY, RESUMING, RUNNING_P2P -> RUNNING_P2P;
                };
            case PRE_COPY ->
                switch (to) {
                    case PRE_COPY -> PRE_COPY;
                    case PRE_COPY_P2P, STOP_COPY -> PRE_COPY_P2P;
                    case ERROR, STOP, RUNNING, RESUMING, RUNNING_P2P -> RUNNING;
                };
            case PRE_COPY_P2P ->
                switch (to) {
                    case PRE_COPY, PRE_COPY_P2P, STOP_COPY -> to;
                    case ERROR, STOP, RUNNING, RESUMING, RUNNING_P2P -> RUNNING_P2P;
                };
            case STOP_COPY ->
                switch (to) {
                    case STOP_COPY -> STOP_COPY;
                    // its stream has ended for the running state: it cannot go back to giving out while it runs
                    case ERROR, PRE_COPY, PRE_COPY_P2P -> ERROR;
                    case STOP, RUNNING, RESUMING, RUNNING_P2P -> STOP;
                };
            case RESUMING -> to == RESUMING ? RESUMING : STOP;
            case RUNNING_P2P ->
                switch (to) {
                    case RUNNING_P2P, PRE_COPY_P2P -> to;
                    case RUNNING, PRE_COPY -> RUNNING;
                    case ERROR, STOP, STOP_COPY, RESUMING -> STOP;
                };
        };
    }
}
