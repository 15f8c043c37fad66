package io.godwit.api;

import io.godwit.convergence.Policies;
import io.godwit.proto.migration.MigrationOptions;
import org.jspecify.annotations.Nullable;

/**
 * How VMs are to be moved; what is left out comes from the configuration under {@code godwit.api.migration-defaults}.
 *
 * @param downtimeLimitMs switch over at a predicted downtime of at most this
 * @param verify whether both sides compare digests
 * @param bandwidthBytesPerSecond limit while pre-copying; 0 for none
 * @param handoffDeadlineMs how long an open handoff may wait for its commit
 * @param precopyDeadlineMs pre-copy that has not come under the limit by then is given up; 0 for the source's own setting
 * @param convergence a convergence policy's name, or a ladder written out
 */
public record OptionsBody(
        @Nullable Long downtimeLimitMs,
        @Nullable Boolean verify,
        @Nullable Long bandwidthBytesPerSecond,
        @Nullable Long handoffDeadlineMs,
        @Nullable Long precopyDeadlineMs,
        @Nullable String convergence) {
    /** Nothing said. */
    public static final OptionsBody NONE = new OptionsBody(null, null, null, null);

    /** With nothing said of what is done when it does not converge. */
    public OptionsBody(
            @Nullable Long downtimeLimitMs,
            @Nullable Boolean verify,
            @Nullable Long bandwidthBytesPerSecond,
            @Nullable Long handoffDeadlineMs) {
        this(downtimeLimitMs, verify, bandwidthBytesPerSecond, handoffDeadlineMs, null, null);
    }

    /**
     * The options, with {@code defaults} for what was left out.
     *
     * @throws ApiProblem 400 for a number out of range, or no such policy
     */
    public MigrationOptions over(MigrationOptions defaults, Policies policies) {
        LimitsBody.requireBandwidth("options.bandwidthBytesPerSecond", bandwidthBytesPerSecond);
        if (convergence != null) {
            try {
                policies.named(convergence);
            } catch (IllegalArgumentException e) {
                throw ApiProblem.badRequest("field 'options.convergence': " + e.getMessage());
            }
        }
        return new MigrationOptions(
                atLeast("options.downtimeLimitMs", downtimeLimitMs, 1, defaults.downtimeLimitMs()),
                verify == null ? defaults.verify() : verify,
                atLeast(
                        "options.bandwidthBytesPerSecond",
                        bandwidthBytesPerSecond,
                        0,
                        defaults.bandwidthBytesPerSecond()),
                atLeast("options.handoffDeadlineMs", handoffDeadlineMs, 1, defaults.handoffDeadlineMs()),
                atLeast("options.precopyDeadlineMs", precopyDeadlineMs, 0, defaults.precopyDeadlineMs()),
                convergence == null ? defaults.convergence() : convergence);
    }

    private static long atLeast(String field, @Nullable Long value, long min, long absent) {
        if (value != null && value < min) {
            throw ApiProblem.badRequest("field '" + field + "' is " + value + "; expected " + min + " or more");
        }
        return value == null ? absent : value;
    }
}
