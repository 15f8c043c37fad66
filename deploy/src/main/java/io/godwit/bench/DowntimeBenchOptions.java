package io.godwit.bench;

import java.util.Set;

/** Command line of {@link DowntimeBench}. */
record DowntimeBenchOptions(
        boolean help,
        int runs,
        int warmUp,
        long seed,
        boolean sharedCores,
        String link,
        boolean quick,
        String guest,
        boolean verify,
        boolean parts,
        boolean json) {
    static final String USAGE = """
            usage: downtime [--runs N] [--quick] [--guest auto|kvm|soft] [--verify] [--parts] [--output table|json]
              --runs N       counted migrations for each row, after one that is not, 1 to 1000 (default 3)
              --warm-up N    migrations before the first row, not counted, 0 to 1000 (default 16): agents that have just
                             started are compiled while they work, which says little of a host that has been up for a while
              --seed S       order of the rows, which says what is known when each of them begins (default 1)
              --shared-cores both agents on all cores; default: each has half of them for itself, as a host has
              --link RATE    bandwidth between the agents, such as 800mbit (default 10gbit; in a network namespace: needs root,
                             unshare, ip and tc), or none: plain loopback, where the cores are the wire
              --quick        only the slowest and the fastest guest, without and with the most pinned memory
              --guest WHAT   guest driver (default auto: kvm where it works, else soft)
              --verify       compare digests of both sides while the guest stands still
              --parts        the parts of each measured standstill, too
              --output WHAT  table (default) or json
            Exit codes: 0 goal met, 1 goal missed or not measured, 2 bad usage.""";

    static DowntimeBenchOptions parse(String[] args) {
        boolean help = false;
        int runs = 3;
        int warmUp = 16;
        long seed = 1;
        boolean sharedCores = false;
        String link = "none";
        boolean quick = false;
        String guest = "auto";
        boolean verify = false;
        boolean parts = false;
        boolean json = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--runs" -> runs = ThroughputOptions.rounds(ThroughputOptions.value(args, i++));
                case "--warm-up" -> warmUp = whole(args[i], ThroughputOptions.value(args, i++), 0, 1000);
                case "--seed" -> seed = whole(args[i], ThroughputOptions.value(args, i++), 0, Integer.MAX_VALUE);
                case "--shared-cores" -> sharedCores = true;
                case "--link" -> link = ThroughputOptions.value(args, i++);
                case "--quick" -> quick = true;
                case "--guest" -> guest = ThroughputOptions.value(args, i++);
                case "--verify" -> verify = true;
                case "--parts" -> parts = true;
                case "--output" -> json = ThroughputOptions.output(ThroughputOptions.value(args, i++));
                default -> throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (!Set.of("auto", "kvm", "soft").contains(guest)) {
            throw new IllegalArgumentException("--guest " + guest + "; expected auto, kvm or soft");
        }
        return new DowntimeBenchOptions(help, runs, warmUp, seed, sharedCores, link, quick, guest, verify, parts, json);
    }

    private static int whole(String option, String value, int least, int most) {
        try {
            int number = Integer.parseInt(value);
            if (number >= least && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            // said below, as for a number out of range
        }
        throw new IllegalArgumentException(
                option + " " + value + "; expected a whole number, " + least + " to " + most);
    }
}
