package io.godwit.api;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Body of {@code POST /api/v1/migrations}.
 *
 * @param vm the VM; required
 * @param to destination; left out, the first that fits
 * @param options how
 */
public record MigrationBody(
        @Nullable String vm, @Nullable String to, @Nullable OptionsBody options) {
    /**
     * The VM.
     *
     * @throws ApiProblem 400 without one
     */
    public String wantedVm() {
        if (vm == null) {
            throw ApiProblem.badRequest("field 'vm' is missing; expected the name of a VM");
        }
        return vm;
    }

    /** Destination, if said. */
    public Optional<String> wantedHost() {
        return Optional.ofNullable(to);
    }

    /** Options, or none said. */
    public OptionsBody wantedOptions() {
        return options == null ? OptionsBody.NONE : options;
    }
}
