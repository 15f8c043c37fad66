package io.godwit.plan.model;

import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One VM.
 *
 * @param name unique among the VMs
 * @param host where it is
 * @param demand what it takes from its host, by resource; in flight it takes it from both
 * @param ram how its memory behaves
 * @param blackoutBudgetMs the longest standstill it accepts; {@link Long#MAX_VALUE} for any
 * @param priority higher ones are placed and moved earlier where nothing else decides
 * @param immovable why it cannot be migrated; empty when it can
 * @param onlyHosts hosts it may be on; empty for all
 * @param onlyTags tags that its host must all have
 * @param bannedHosts hosts it may not be on
 * @param slots what it needs of pools whose parts are told apart, by pool
 * @param heldSlots which slots it has now, by pool; empty for {@link HeldSlots}' choice
 */
public record PlanVm(
        String name,
        String host,
        Map<String, Long> demand,
        RamProfile ram,
        long blackoutBudgetMs,
        int priority,
        String immovable,
        Set<String> onlyHosts,
        Set<String> onlyTags,
        Set<String> bannedHosts,
        Map<String, SlotNeed> slots,
        Map<String, List<Integer>> heldSlots) {
    /** Copies the collections. */
    public PlanVm {
        demand = Map.copyOf(demand);
        onlyHosts = Set.copyOf(onlyHosts);
        onlyTags = Set.copyOf(onlyTags);
        bannedHosts = Set.copyOf(bannedHosts);
        slots = Map.copyOf(slots);
        heldSlots = Map.copyOf(heldSlots);
    }

    /** A VM that needs no slots. */
    public PlanVm(
            String name,
            String host,
            Map<String, Long> demand,
            RamProfile ram,
            long blackoutBudgetMs,
            int priority,
            String immovable,
            Set<String> onlyHosts,
            Set<String> onlyTags,
            Set<String> bannedHosts) {
        this(
                name,
                host,
                demand,
                ram,
                blackoutBudgetMs,
                priority,
                immovable,
                onlyHosts,
                onlyTags,
                bannedHosts,
                Map.of(),
                Map.of());
    }

    /** A VM that may go anywhere. */
    public static PlanVm of(String name, String host, Map<String, Long> demand, RamProfile ram) {
        return new PlanVm(name, host, demand, ram, Long.MAX_VALUE, 0, "", Set.of(), Set.of(), Set.of());
    }
}
