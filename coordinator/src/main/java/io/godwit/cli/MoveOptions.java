package io.godwit.cli;

import io.godwit.api.OptionsBody;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Options of every command that moves VMs. */
public final class MoveOptions {
    @Option(
            names = "--downtime-limit",
            paramLabel = "TIME",
            converter = Converters.Millis.class,
            description = "Switch over once the predicted standstill is at most this, such as 300ms.")
    @Nullable
    Long downtimeLimitMs;

    @Option(names = "--no-verify", description = "Do not compare digests of both sides while the VM stands still.")
    boolean noVerify;

    @Option(
            names = "--bandwidth",
            paramLabel = "RATE",
            converter = Converters.Rate.class,
            description = "Limit per VM while pre-copying, such as 1GiB/s (default: none).")
    @Nullable
    Long bandwidthBytesPerSecond;

    @Option(
            names = "--precopy-deadline",
            paramLabel = "TIME",
            converter = Converters.Millis.class,
            description = "Give a VM up that has not come under the limit by then, such as 600s (default: its host's"
                    + " setting, 120s).")
    @Nullable
    Long precopyDeadlineMs;

    @Option(
            names = "--convergence",
            paramLabel = "POLICY|LADDER",
            description = "What to do when a VM does not converge: a policy of the coordinator's configuration (none,"
                    + " patient, gentle, firm, forced), or steps such as 'wait:10s, throttle:30%%:10s, give-up'. A VM's own"
                    + " goes before.")
    @Nullable
    String convergence;

    /** What the API is sent: only what was said. */
    OptionsBody body() {
        return new OptionsBody(
                downtimeLimitMs,
                noVerify ? Boolean.FALSE : null,
                bandwidthBytesPerSecond,
                null,
                precopyDeadlineMs,
                convergence);
    }
}
