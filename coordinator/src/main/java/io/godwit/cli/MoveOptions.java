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

    /** What the API is sent: only what was said. */
    OptionsBody body() {
        return new OptionsBody(downtimeLimitMs, noVerify ? Boolean.FALSE : null, bandwidthBytesPerSecond, null);
    }
}
