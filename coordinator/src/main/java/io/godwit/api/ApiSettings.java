package io.godwit.api;

import com.typesafe.config.Config;
import io.godwit.convergence.Policies;
import io.godwit.proto.migration.MigrationOptions;
import java.time.Duration;

/**
 * Settings of the API, from {@code godwit.api}; reasons and units are in reference.conf.
 *
 * @param bodyBytesMax largest request body
 * @param bodyTimeout how long a body may take to arrive
 * @param eventsInterval time between two looks at the coordinator, per event stream
 * @param eventsKeepAlive a comment is sent after so much silence
 * @param eventStreamsMax event streams open at the same time
 * @param retryAfter what whoever is answered with 503 is told to wait
 * @param migrationDefaults options for what a request leaves out
 * @param policies ladders that a request may name
 */
public record ApiSettings(
        long bodyBytesMax,
        Duration bodyTimeout,
        Duration eventsInterval,
        Duration eventsKeepAlive,
        int eventStreamsMax,
        Duration retryAfter,
        MigrationOptions migrationDefaults,
        Policies policies) {
    /** Reads them from the root of a configuration. */
    public static ApiSettings of(Config root) {
        Config api = root.getConfig("godwit.api");
        Config defaults = api.getConfig("migration-defaults");
        return new ApiSettings(
                api.getBytes("body-max"),
                api.getDuration("body-timeout"),
                api.getDuration("events-interval"),
                api.getDuration("events-keep-alive"),
                api.getInt("event-streams-max"),
                api.getDuration("retry-after"),
                new MigrationOptions(
                        defaults.getDuration("downtime-limit").toMillis(),
                        defaults.getBoolean("verify"),
                        defaults.getBytes("bandwidth-per-second"),
                        defaults.getDuration("handoff-deadline").toMillis(),
                        defaults.getDuration("precopy-deadline").toMillis(),
                        ""),
                Policies.from(root));
    }
}
