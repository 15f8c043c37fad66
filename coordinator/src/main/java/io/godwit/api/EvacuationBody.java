package io.godwit.api;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Body of {@code POST /api/v1/evacuations}.
 *
 * @param hosts hosts to empty; required, at least one
 * @param dryRun only plan; false unless given
 * @param makeRoom whether VMs of other hosts may be moved where one of these fits nowhere otherwise; true unless given
 * @param options how
 */
public record EvacuationBody(
        @Nullable List<String> hosts,
        @Nullable Boolean dryRun,
        @Nullable Boolean makeRoom,
        @Nullable OptionsBody options) {
    /** With nothing said of others. */
    public EvacuationBody(@Nullable List<String> hosts, @Nullable Boolean dryRun, @Nullable OptionsBody options) {
        this(hosts, dryRun, null, options);
    }

    /**
     * The hosts.
     *
     * @throws ApiProblem 400 for none, or one named twice
     */
    public List<String> wantedHosts() {
        if (hosts == null || hosts.isEmpty()) {
            throw ApiProblem.badRequest("field 'hosts' is missing or empty; expected at least one host");
        }
        Set<String> seen = new HashSet<>();
        for (String host : hosts) {
            if (host == null || !seen.add(host)) {
                throw ApiProblem.badRequest(
                        "field 'hosts' holds " + host + (host == null ? "" : " twice") + "; expected names, each once");
            }
        }
        return hosts;
    }

    /** Whether nothing is to be changed. */
    public boolean planOnly() {
        return Boolean.TRUE.equals(dryRun);
    }

    /** Whether VMs of other hosts may be moved. */
    public boolean mayMakeRoom() {
        return !Boolean.FALSE.equals(makeRoom);
    }

    /** Options, or none said. */
    public OptionsBody wantedOptions() {
        return options == null ? OptionsBody.NONE : options;
    }
}
