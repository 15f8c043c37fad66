package io.godwit.agent.qemu;

import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.QemuSpec;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * How a guest of QEMU's own emulator (accelerator tcg) leaves: it stands for all of its copying, because QEMU may lose writes
 * of one that runs meanwhile. Seen with 9 of 28 Linux guests on 7.2.22, moved by QMP alone: up to 34 pages were old at the
 * destination, and most of the guests died of it. Of 99 that were stopped before QEMU's second look at the dirty bitmap none lost
 * any.
 */
final class QemuEmulation {
    private final QemuSettings settings;

    QemuEmulation(QemuSettings settings) {
        this.settings = settings;
    }

    /** Of a guest that this holds for: one that is emulated, runs, and is not to be moved live all the same. */
    static Optional<QemuEmulation> of(QemuCore core) {
        boolean emulated =
                core.spec().qemu().orElse(QemuSpec.DEFAULT).accelerator().equals("tcg");
        return emulated && !core.paused() && !core.qemu.settings().tcgLive()
                ? Optional.of(new QemuEmulation(core.qemu.settings()))
                : Optional.empty();
    }

    /** The limits that hold until it stands: next to nothing is sent before. */
    SaveLimits held(SaveLimits limits) {
        return new SaveLimits(
                limits.revision(),
                limits.downtimeLimitMs(),
                limits.downtimeCeilingMs(),
                settings.tcgHoldBandwidth(),
                0,
                limits.stopAndCopy(),
                limits.postcopy());
    }

    /** Why it cannot stand for as long as the copying of what {@code figures} say will take; empty: it can. */
    Optional<String> problem(QemuFigures figures, SaveLimits limits) {
        long bandwidth = settings.tcgBandwidth();
        long millis = settings.fixedDowntime().toMillis()
                + (long) (figures.remainingBytes() * (double) TimeUnit.SECONDS.toMillis(1) / bandwidth);
        long budget = Math.max(limits.downtimeLimitMs(), limits.downtimeCeilingMs());
        return limits.stopAndCopy() || millis <= budget
                ? Optional.empty()
                : Optional.of(
                        "a guest of QEMU's emulator (accelerator tcg) stands for all of its copying, about " + millis
                                + " ms; the limit can become " + budget
                                + " ms: give it a larger blackout budget, or the policy stop-and-copy");
    }
}
