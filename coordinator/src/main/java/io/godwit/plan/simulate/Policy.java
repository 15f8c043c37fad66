package io.godwit.plan.simulate;

import java.util.List;

/**
 * When the next migration starts. Limits are the peers' defaults, from their own sources.
 *
 * @param name as people know it
 * @param atOnce migrations in the whole fleet
 * @param outgoing migrations that leave one host at a time
 * @param incoming migrations that come to one host at a time
 * @param waves whether all that run must have ended before the next start
 * @param planned whether migrations start in the plan's order and only while their links have the bandwidth that it gives them
 */
public record Policy(String name, int atOnce, int outgoing, int incoming, boolean waves, boolean planned) {
    private static final int ANY = Integer.MAX_VALUE;

    /** Ours: each when what the plan gives it is free. */
    public static final Policy GODWIT = new Policy("godwit", ANY, ANY, ANY, false, true);

    /** Those to compare with: fixed caps, which know nothing of links; a window; waves. */
    public static final List<Policy> PEERS = List.of(
            new Policy("kubevirt", 5, 2, ANY, false, false),
            new Policy("nova", ANY, 1, ANY, false, false),
            new Policy("ovirt", ANY, 2, 2, false, false),
            new Policy("xapi", 10, ANY, ANY, false, false),
            new Policy("vsphere", ANY, 8, 8, false, false),
            new Policy("waves of 2", 2, ANY, 1, true, false));
}
