package io.godwit.convergence;

import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What is done, step by step, about a migration that does not converge. Its text form is for people, configurations and the
 * journal: steps divided by commas, each {@code name[:amount][:hold]}, such as {@code wait:10s, throttle:30%:10s,
 * downtime:budget:10s, give-up}; {@link LadderText} reads it.
 *
 * @param rungs from the first to the last; none for a migration that has only its deadline
 */
public record Ladder(List<Rung> rungs) {
    /** Slower, in bytes per second, not even one run of pages passes between two reports of progress. */
    public static final long BANDWIDTH_BYTES_MIN = 1L << 20;

    /** Nothing is done: the source gives up at its deadline. */
    public static final Ladder NONE = new Ladder(List.of());

    public Ladder {
        rungs = List.copyOf(rungs);
    }

    /**
     * Reads the text form; empty for {@link #NONE}.
     *
     * @throws IllegalArgumentException saying which step is wrong and what was expected
     */
    public static Ladder parse(String text) {
        return LadderText.read(text);
    }

    /** Its text form; {@link #parse} brings it back equal. */
    public String text() {
        return rungs.stream().map(Rung::text).collect(Collectors.joining(", "));
    }

    /** Why {@code vm} must not be moved with it, if it must not. Known before anything has started. */
    public Optional<String> refusal(VmSpec vm) {
        if (rungs.stream().noneMatch(rung -> rung.step() instanceof LadderStep.Postcopy)) {
            return Optional.empty();
        }
        if (!vm.devices().isEmpty()) {
            return Optional.of("postcopy is not possible with a VFIO device: vm '" + vm.name() + "' has "
                    + vm.devices().stream().map(Ladder::named).collect(Collectors.joining(", ")));
        }
        if (!vm.driver().equals("qemu")) {
            return Optional.of("postcopy is not offered for native guests (driver " + vm.driver() + ")");
        }
        return vm.qemu().orElse(QemuSpec.DEFAULT).postcopy()
                ? Optional.empty()
                : Optional.of("postcopy needs the migration capability postcopy-ram, which vm '" + vm.name()
                        + "' has not been given");
    }

    private static String named(DeviceSpec device) {
        return device.name() + " (" + device.model() + ")";
    }

    /** The limits of a migration that begins. {@code budgetMs}: the VM's blackout budget. */
    public SaveLimits first(MigrationOptions options, long budgetMs) {
        return ceiled(SaveLimits.first(options, budgetMs), 0, budgetMs);
    }

    /**
     * The same limits with the highest downtime limit that the rest of the ladder can still lead to, so that the source knows
     * which floor is hopeless. What an operator may do by hand does not count: nobody may be there.
     *
     * @param from number of the first rung that has not been taken, from 0
     * @param budgetMs the VM's blackout budget
     */
    public SaveLimits ceiled(SaveLimits limits, int from, long budgetMs) {
        long ceilingMs = limits.stopAndCopy() || limits.postcopy() ? Long.MAX_VALUE : limits.downtimeLimitMs();
        for (Rung rung : rungs.subList(from, rungs.size())) {
            ceilingMs = Math.max(
                    ceilingMs,
                    switch (rung.step()) {
                        case LadderStep.Downtime(var limitMs) -> Math.min(limitMs, budgetMs);
                        case LadderStep.StopAndCopy _, LadderStep.Postcopy _ -> Long.MAX_VALUE;
                        case LadderStep.Wait _, LadderStep.Bandwidth _, LadderStep.Throttle _, LadderStep.GiveUp _ -> 0;
                    });
        }
        return new SaveLimits(
                limits.revision(),
                limits.downtimeLimitMs(),
                ceilingMs,
                limits.bandwidthBytesPerSecond(),
                limits.throttlePercent(),
                limits.stopAndCopy(),
                limits.postcopy());
    }
}
