package io.godwit.plan.place;

import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** With whom a VM must not be on a host, with whom it should not, and with whom it should. */
final class Company {
    private final Rooms rooms;
    private final Map<String, List<List<String>>> apart = new HashMap<>();
    private final Map<String, List<List<String>>> ratherApart = new HashMap<>();
    private final Map<String, List<List<String>>> ratherTogether = new HashMap<>();

    Company(PlanCase plan, Rooms rooms) {
        this.rooms = rooms;
        for (Rule rule : plan.rules()) {
            switch (rule) {
                case Rule.Apart(var group, var hard) -> add(hard ? apart : ratherApart, group);
                case Rule.Together(var group, var hard) -> {
                    if (!hard) {
                        add(ratherTogether, group);
                    }
                }
                case Rule.Before _ -> {} // says when, not where
            }
        }
    }

    private static void add(Map<String, List<List<String>>> groups, List<String> group) {
        group.forEach(vm -> groups.computeIfAbsent(vm, _ -> new ArrayList<>()).add(group));
    }

    /** A VM on host {@code h} that must be kept apart from {@code vm}. */
    @Nullable
    String unwanted(PlanVm vm, int h) {
        if (!apart.isEmpty()) {
            for (List<String> group : apart.getOrDefault(vm.name(), List.of())) {
                for (String other : group) {
                    if (!other.equals(vm.name()) && rooms.where(other) == h) {
                        return other;
                    }
                }
            }
        }
        return null;
    }

    /** How many rules of those that may be broken {@code vm} would break on host {@code h}. */
    int regrets(PlanVm vm, int h) {
        int regrets = 0;
        if (!ratherApart.isEmpty()) {
            for (List<String> group : ratherApart.getOrDefault(vm.name(), List.of())) {
                regrets += meets(group, vm, h) ? 1 : 0;
            }
        }
        if (!ratherTogether.isEmpty()) {
            for (List<String> group : ratherTogether.getOrDefault(vm.name(), List.of())) {
                regrets += meets(group, vm, h) ? 0 : 1;
            }
        }
        return regrets;
    }

    private boolean meets(List<String> group, PlanVm vm, int h) {
        return group.stream().anyMatch(other -> !other.equals(vm.name()) && rooms.where(other) == h);
    }
}
