package io.godwit.api;

import io.godwit.proto.migration.MigrationOptions;
import org.jspecify.annotations.Nullable;

/**
 * How VMs are to be moved; what is left out comes from the configuration under {@code godwit.api.migration-defaults}.
 *
 * @param downtimeLimitMs switch over at a predicted downtime of at most this
 * @param verify whether both sides compare digests
 * @param bandwidthBytesPerSecond limit while pre-copying; 0 for none
 * @param handoffDeadlineMs how long an open handoff may wait for its commit
 */
public record OptionsBody(
        @Nullable Long downtimeLimitMs,
        @Nullable Boolean verify,
        @Nullable Long bandwidthBytesPerSecond,
        @Nullable Long handoffDeadlineMs) {
    /** Slower, not even one run of pages passes between two reports of progress, and the migration is given up. */
    private static final long BANDWIDTH_BYTES_MIN = 1L << 20;

    /** Nothing said. */
    public static final OptionsBody NONE = new OptionsBody(null, null, null, null);

    /**
     * The options, with {@code defaults} for what was left out.
     *
     * @throws ApiProblem 400 for a number out of range
     */
    public MigrationOptions over(MigrationOptions defaults) {
        if (bandwidthBytesPerSecond != null
                && bandwidthBytesPerSecond > 0
                && bandwidthBytesPerSecond < BANDWIDTH_BYTES_MIN) {
            throw ApiProblem.badRequest("field 'options.bandwidthBytesPerSecond' is " + bandwidthBytesPerSecond
                    + "; expected 0 for no limit, or 1 MiB (" + BANDWIDTH_BYTES_MIN + ") or more");
        }
        return new MigrationOptions(
                atLeast("options.downtimeLimitMs", downtimeLimitMs, 1, defaults.downtimeLimitMs()),
                verify == null ? defaults.verify() : verify,
                atLeast(
                        "options.bandwidthBytesPerSecond",
                        bandwidthBytesPerSecond,
                        0,
                        defaults.bandwidthBytesPerSecond()),
                atLeast("options.handoffDeadlineMs", handoffDeadlineMs, 1, defaults.handoffDeadlineMs()));
    }

    private static long atLeast(String field, @Nullable Long value, long min, long absent) {
        if (value != null && value < min) {
            throw ApiProblem.badRequest("field '" + field + "' is " + value + "; expected " + min + " or more");
        }
        return value == null ? absent : value;
    }
}
