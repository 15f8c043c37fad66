package io.godwit.bench;

import io.godwit.plan.model.Network;
import io.godwit.plan.model.Network.Link;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.TransferModel;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/**
 * A made-up fleet as the goals ask for it: 20 VMs on every host, each of 2 to 16 GiB, hosts 60 % full in the mean. Hosts stand in
 * racks of 40 with 10 Gbit/s each, racks hang on one core with 100 Gbit/s.
 */
final class SyntheticFleet {
    static final int VMS_PER_HOST = 20;

    private static final int RACK = 40;
    private static final long HOST_MBIT = 10_000;
    private static final long RACK_MBIT = 100_000;
    private static final int LEAST_GIB = 2;
    private static final int MOST_GIB = 16;
    private static final double FULL = 0.6;

    private SyntheticFleet() {}

    /** {@code drained} hosts spread over the fleet are to be emptied. */
    static PlanCase of(int hosts, int drained, long seed) {
        Random random = new Random(seed);
        long capacityMib = Math.round(VMS_PER_HOST * (LEAST_GIB + MOST_GIB) / 2.0 * 1024 / FULL);
        List<PlanHost> all = new ArrayList<>();
        List<PlanVm> vms = new ArrayList<>();
        List<Link> links = new ArrayList<>();
        Map<String, Long> switches = new HashMap<>();
        Set<String> leaving = new HashSet<>();
        switches.put("core", Network.UNLIMITED);
        for (int h = 0; h < hosts; h++) {
            String host = String.format("h%05d", h);
            String rack = "rack" + h / RACK;
            if (switches.put(rack, Network.UNLIMITED) == null) {
                links.add(new Link(rack, "core", RACK_MBIT));
            }
            links.add(new Link(host, rack, HOST_MBIT));
            all.add(new PlanHost(
                    host,
                    Map.of("memory", capacityMib, "cpu", 128L),
                    0,
                    0,
                    "",
                    PlanHost.UNLIMITED,
                    PlanHost.UNLIMITED,
                    rack,
                    Set.of()));
            for (int v = 0; v < VMS_PER_HOST; v++) {
                long mib = 1024L * (LEAST_GIB + random.nextInt(MOST_GIB - LEAST_GIB + 1));
                // all of the memory has been touched; a hot set of some 10 MB/s, as of a quiet service
                vms.add(PlanVm.of(
                        host + "-" + v,
                        host,
                        Map.of("memory", mib, "cpu", 1L + random.nextInt(4)),
                        new RamProfile(mib * 1.048576, 20 + random.nextInt(80), 5, random.nextInt(10))));
            }
        }
        for (int d = 0; d < drained; d++) {
            leaving.add(String.format("h%05d", (int) ((long) d * hosts / drained)));
        }
        return new PlanCase(
                all,
                vms,
                new Network(switches, links, List.of()),
                List.of(),
                TransferModel.STANDARD,
                leaving,
                Map.of(),
                Long.MAX_VALUE);
    }
}
