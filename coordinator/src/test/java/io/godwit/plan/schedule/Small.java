package io.godwit.plan.schedule;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.Rule;
import io.godwit.plan.model.TransferModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Small fleets on one switch: every host has one link; memory is what a VM copies, in MB. */
public final class Small {
    /** 8 bits for a byte: 1,000 MB take 8 s at 1,000 Mbit/s. */
    public static final TransferModel PLAIN = new TransferModel(8, 1);

    private Small() {}

    /** A host with so much memory. */
    public static PlanHost host(String name, long memory) {
        return PlanHost.of(name, Map.of("memory", memory));
    }

    /** A host that limits migrations. */
    public static PlanHost limited(String name, long memory, int outgoing, int incoming) {
        return new PlanHost(name, Map.of("memory", memory), 0, 0, "", outgoing, incoming, "", Set.of());
    }

    /** An idle VM of so much memory. */
    public static PlanVm vm(String name, String host, long memory) {
        return PlanVm.of(name, host, Map.of("memory", memory), RamProfile.idle((double) memory));
    }

    /** A fleet whose hosts all have a link of that speed to one switch. */
    public static PlanCase fleet(long mbit, List<PlanHost> hosts, List<PlanVm> vms, Rule... rules) {
        List<Link> links = new ArrayList<>();
        hosts.forEach(host -> links.add(new Link(host.name(), "switch", mbit)));
        return new PlanCase(
                hosts,
                vms,
                new Network(Map.of("switch", Network.UNLIMITED), links, List.of()),
                List.of(rules),
                PLAIN,
                Set.of(),
                Map.of(),
                Long.MAX_VALUE);
    }
}
