package io.godwit.cli;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * Settings of the commands, from {@code godwit.cli}; reasons are in reference.conf.
 *
 * @param connectTimeout to reach the coordinator
 * @param requestTimeout for one answer of it
 * @param pollInterval between two looks at work that is waited for
 * @param unreachableGrace how long a wait goes on while no coordinator answers
 */
public record CliSettings(
        Duration connectTimeout, Duration requestTimeout, Duration pollInterval, Duration unreachableGrace) {
    /** Reads them from the root of a configuration. */
    public static CliSettings of(Config root) {
        Config cli = root.getConfig("godwit.cli");
        return new CliSettings(
                cli.getDuration("connect-timeout"),
                cli.getDuration("request-timeout"),
                cli.getDuration("poll-interval"),
                cli.getDuration("unreachable-grace"));
    }
}
