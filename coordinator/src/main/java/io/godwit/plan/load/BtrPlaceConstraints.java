package io.godwit.plan.load;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.plan.model.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The constraints of a BtrPlace instance that mean something for a drain. */
final class BtrPlaceConstraints {
    final Set<Integer> offline = new HashSet<>();
    final Map<Integer, Set<String>> only = new HashMap<>();
    final Map<Integer, Set<String>> banned = new HashMap<>();
    final List<Rule> rules = new ArrayList<>();

    BtrPlaceConstraints(String file, JsonNode constraints) {
        int at = 0;
        for (JsonNode constraint : constraints) {
            String field = "constraints[" + at++ + "]";
            String id = constraint.path("id").asText();
            switch (id) {
                case "fence" ->
                    vms(constraint).forEach(vm -> only.merge(vm, nodes(constraint), BtrPlaceConstraints::both));
                case "ban" ->
                    vms(constraint)
                            .forEach(vm -> banned.computeIfAbsent(vm, _ -> new HashSet<>())
                                    .addAll(nodes(constraint)));
                case "offline" -> offline.addAll(numbers(constraint, "node", "nodes"));
                case "spread" -> rules.add(new Rule.Apart(names(constraint), true));
                case "gather" -> rules.add(new Rule.Together(names(constraint), true));
                // they say what is so anyway: VMs that run go on running, nodes that are not drained stay on
                case "running", "online" -> {}
                default ->
                    throw InputProblem.field(
                            file,
                            field + ".id",
                            "unknown constraint '" + id
                                    + "'; expected fence, ban, offline, online, running, spread or gather");
            }
        }
    }

    private static Set<String> both(Set<String> a, Set<String> b) {
        Set<String> both = new HashSet<>(a);
        both.retainAll(b);
        return both;
    }

    private static List<Integer> vms(JsonNode constraint) {
        return numbers(constraint, "vm", "vms");
    }

    private static List<String> names(JsonNode constraint) {
        return vms(constraint).stream().map(BtrPlaceFile::vm).toList();
    }

    private static Set<String> nodes(JsonNode constraint) {
        Set<String> names = new HashSet<>();
        numbers(constraint, "node", "nodes").forEach(node -> names.add(BtrPlaceFile.node(node)));
        return names;
    }

    /** One or many: BtrPlace's files have both. */
    private static List<Integer> numbers(JsonNode constraint, String one, String many) {
        List<Integer> numbers = new ArrayList<>();
        if (constraint.has(one)) {
            numbers.add(constraint.path(one).asInt());
        }
        constraint.path(many).forEach(number -> numbers.add(number.asInt()));
        return numbers;
    }
}
