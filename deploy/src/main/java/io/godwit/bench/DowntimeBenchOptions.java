package io.godwit.bench;

import java.util.Set;

/** Command line of {@link DowntimeBench}. */
record DowntimeBenchOptions(
        boolean help, int runs, boolean quick, String guest, boolean verify, boolean parts, boolean json) {
    static final String USAGE = """
            usage: downtime [--runs N] [--quick] [--guest auto|kvm|soft] [--verify] [--parts] [--output table|json]
              --runs N       counted migrations for each row, after one that is not, 1 to 1000 (default 3)
              --quick        only the slowest and the fastest guest, without and with the most pinned memory
              --guest WHAT   guest driver (default auto: kvm where it works, else soft)
              --verify       compare digests of both sides while the guest stands still
              --parts        the parts of each measured standstill, too
              --output WHAT  table (default) or json
            Exit codes: 0 goal met, 1 goal missed or not measured, 2 bad usage.""";

    static DowntimeBenchOptions parse(String[] args) {
        boolean help = false;
        int runs = 3;
        boolean quick = false;
        String guest = "auto";
        boolean verify = false;
        boolean parts = false;
        boolean json = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--runs" -> runs = ThroughputOptions.rounds(ThroughputOptions.value(args, i++));
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
        return new DowntimeBenchOptions(help, runs, quick, guest, verify, parts, json);
    }
}
