package io.godwit.api;

import io.godwit.convergence.Ladder;
import org.jspecify.annotations.Nullable;

/**
 * Body of {@code PATCH /api/v1/migrations/{id}}: limits to change while it pre-copies; what is left out stays as it is.
 *
 * @param downtimeLimitMs switch over at a predicted downtime of at most this; never over the VM's blackout budget
 * @param bandwidthBytesPerSecond limit on the stream; 0 for none
 */
public record LimitsBody(
        @Nullable Long downtimeLimitMs, @Nullable Long bandwidthBytesPerSecond) {
    /** For a limit that stays as it is. */
    private static final long AS_IT_IS = -1;

    /**
     * The downtime limit, or -1 to leave it.
     *
     * @throws ApiProblem 400 for a number out of range, or when nothing is said at all
     */
    public long wantedDowntimeLimitMs() {
        if (downtimeLimitMs == null && bandwidthBytesPerSecond == null) {
            throw ApiProblem.badRequest(
                    "nothing to change; expected 'downtimeLimitMs', 'bandwidthBytesPerSecond' or both");
        }
        if (downtimeLimitMs != null && downtimeLimitMs < 1) {
            throw ApiProblem.badRequest("field 'downtimeLimitMs' is " + downtimeLimitMs + "; expected 1 or more");
        }
        return downtimeLimitMs == null ? AS_IT_IS : downtimeLimitMs;
    }

    /**
     * The bandwidth in bytes per second, or -1 to leave it.
     *
     * @throws ApiProblem 400 for a number out of range
     */
    public long wantedBandwidth() {
        requireBandwidth("bandwidthBytesPerSecond", bandwidthBytesPerSecond);
        return bandwidthBytesPerSecond == null ? AS_IT_IS : bandwidthBytesPerSecond;
    }

    /** Throws 400 unless {@code value} is left out, 0 or fast enough to make progress. */
    static void requireBandwidth(String field, @Nullable Long value) {
        if (value != null && value != 0 && value < Ladder.BANDWIDTH_BYTES_MIN) {
            throw ApiProblem.badRequest("field '" + field + "' is " + value + "; expected 0 for no limit, or 1 MiB ("
                    + Ladder.BANDWIDTH_BYTES_MIN + ") or more");
        }
    }
}
