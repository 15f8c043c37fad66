package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.proto.migration.SaveLimits;

/** The limits of a migration as QEMU's migration parameters. Pure. */
final class QemuParameters {
    private QemuParameters() {}

    /**
     * While the VM runs. The throttle is auto-converge's with one step: QEMU takes it when the guest dirties more than half of
     * what is sent, and never takes it back during a migration. 1 percent, its least, stands for none.
     *
     * @param holdMs QEMU's downtime limit, in milliseconds
     */
    static ObjectNode of(SaveLimits limits, long holdMs, QemuSettings settings) {
        int throttle = Math.max(1, limits.throttlePercent());
        return QmpSession.arguments()
                .put("downtime-limit", holdMs)
                .put(
                        "max-bandwidth",
                        limits.bandwidthBytesPerSecond() == 0
                                ? settings.unlimitedBandwidth()
                                : limits.bandwidthBytesPerSecond())
                .put("cpu-throttle-initial", throttle)
                .put("cpu-throttle-increment", throttle)
                .put("max-cpu-throttle", throttle)
                .put("multifd-channels", settings.multifdChannels());
    }

    /**
     * When what is dirty is to be fetched after the handoff: the limit is for what nobody has asked for yet. That of pre-copy
     * stays until it ends: QEMU sends the rest of the state without one, and pre-copy that is let go now could be done before
     * postcopy has begun.
     */
    static ObjectNode postcopy(SaveLimits limits) {
        return QmpSession.arguments().put("max-postcopy-bandwidth", limits.bandwidthBytesPerSecond());
    }

    /** When the VM stands still: every byte that waits prolongs that. */
    static ObjectNode hurry(long downtimeMs, QemuSettings settings) {
        return QmpSession.arguments()
                .put("downtime-limit", downtimeMs)
                .put("max-bandwidth", settings.unlimitedBandwidth());
    }
}
