package io.godwit.api;

import io.godwit.plan.Placement;
import java.util.List;

/**
 * What an evacuation would do.
 *
 * @param hosts hosts that would be emptied
 * @param complete whether every VM has somewhere to go
 * @param placements one per VM, those that make room for others included, in the order in which they would move
 */
public record PlanView(List<String> hosts, boolean complete, List<Placement> placements) {
    public PlanView {
        hosts = List.copyOf(hosts);
        placements = List.copyOf(placements);
    }
}
