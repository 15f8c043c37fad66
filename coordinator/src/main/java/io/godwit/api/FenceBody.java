package io.godwit.api;

import org.jspecify.annotations.Nullable;

/**
 * {@code POST /api/v1/hosts/{id}/fence}.
 *
 * @param confirmedDown required, true: somebody has seen to it that the host is off. If it is not, its VMs run twice
 */
public record FenceBody(@Nullable Boolean confirmedDown) {
    /**
     * Whether it was confirmed.
     *
     * @throws ApiProblem 400 unless it was
     */
    public boolean requireConfirmed() {
        if (!Boolean.TRUE.equals(confirmedDown)) {
            throw ApiProblem.badRequest(
                    "field 'confirmedDown' is " + confirmedDown + "; expected true, once the host is known to be off");
        }
        return true;
    }
}
