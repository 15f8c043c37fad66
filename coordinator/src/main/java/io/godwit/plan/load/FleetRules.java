package io.godwit.plan.load;

import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.Reserve;
import io.godwit.plan.model.Rule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Rules, reserves, and what to drain, of our fleet files. */
final class FleetRules {
    private static final List<String> KINDS = List.of("apart", "together", "before");

    private FleetRules() {}

    static List<Rule> rules(Reader root, Set<String> vms) {
        List<Rule> rules = new ArrayList<>();
        for (Reader rule : root.list("rules")) {
            List<String> kinds = KINDS.stream().filter(rule::has).toList();
            if (kinds.size() != 1) {
                throw rule.problem(
                        kinds.isEmpty() ? "apart" : kinds.getLast(),
                        "a rule says " + kinds + "; expected one of " + String.join(", ", KINDS));
            }
            String kind = kinds.getFirst();
            List<String> group = new ArrayList<>(rule.known(kind, vms, "vm"));
            if (group.size() < 2 || kind.equals("before") && group.size() > 2) {
                throw rule.problem(
                        kind,
                        group.size() + " different vms; expected two" + (kind.equals("before") ? "" : " or more"));
            }
            boolean hard = rule.flag("hard", true);
            rules.add(
                    switch (kind) {
                        case "apart" -> new Rule.Apart(group, hard);
                        case "together" -> new Rule.Together(group, hard);
                        default -> new Rule.Before(group.getFirst(), group.getLast());
                    });
        }
        return rules;
    }

    static List<Reserve> reserves(Reader root, Collection<PlanHost> hosts) {
        Set<String> domains = new HashSet<>();
        Set<String> resources = new HashSet<>();
        for (PlanHost host : hosts) {
            domains.add(host.domain());
            resources.addAll(host.capacity().keySet());
        }
        List<Reserve> reserves = new ArrayList<>();
        for (Reader reserve : root.list("reserves")) {
            String domain = reserve.text("domain", "");
            if (!domain.isEmpty() && !domains.contains(domain)) {
                throw reserve.problem("domain", "no host is in domain '" + domain + "'");
            }
            if (reserve.has("hosts") == reserve.has("percent")) {
                throw reserve.problem("hosts", "expected either hosts or percent");
            }
            Set<String> of =
                    reserve.has("resources") ? reserve.known("resources", resources, "resource") : Set.of("memory");
            reserves.add(
                    reserve.has("hosts")
                            ? new Reserve.HostLoss(domain, of, (int) Math.min(1 << 20, reserve.whole("hosts", 1)))
                            : new Reserve.Share(domain, of, (int) reserve.whole("percent", 0)));
        }
        return reserves;
    }

    static Set<String> drained(Reader drain, Map<String, PlanHost> hosts) {
        Set<String> drained = new HashSet<>(drain.known("hosts", hosts.keySet(), "host"));
        Set<String> domains = new HashSet<>();
        Set<String> tags = new HashSet<>();
        for (PlanHost host : hosts.values()) {
            domains.add(host.domain());
            tags.addAll(host.tags());
        }
        Set<String> wantedDomains = drain.known("domains", domains, "domain");
        Set<String> wantedTags = drain.known("tags", tags, "host with tag");
        for (PlanHost host : hosts.values()) {
            if (wantedDomains.contains(host.domain()) || !Collections.disjoint(host.tags(), wantedTags)) {
                drained.add(host.name());
            }
        }
        return drained;
    }
}
