package io.godwit.bench;

import java.util.List;

/** Command line of {@link MigrationBench}. */
record MigrationBenchOptions(boolean help, long bytes, int rounds, String guest, boolean json) {
    static final String USAGE = """
            usage: migration [--rounds N] [--size SIZE] [--guest auto|kvm|soft] [--output table|json]
              --rounds N     rounds counted, 1 to 1000 (default 5)
              --size SIZE    RAM of the guest, whole MiB, such as 512MiB or 2GiB (default 1GiB)
              --guest WHAT   guest driver (default auto: kvm where it works, else soft)
              --output WHAT  table (default) or json
            Exit codes: 0 goal met, 1 goal missed or not measured, 2 bad usage.""";

    static MigrationBenchOptions parse(String[] args) {
        boolean help = false;
        long bytes = 1L << 30;
        int rounds = 5;
        String guest = "auto";
        boolean json = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--rounds" -> rounds = ThroughputOptions.rounds(ThroughputOptions.value(args, i++));
                case "--size" -> bytes = ThroughputOptions.size(ThroughputOptions.value(args, i++));
                case "--guest" -> guest = ThroughputOptions.value(args, i++);
                case "--output" -> json = ThroughputOptions.output(ThroughputOptions.value(args, i++));
                default -> throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (!List.of("auto", "kvm", "soft").contains(guest)) {
            throw new IllegalArgumentException("--guest " + guest + "; expected auto, kvm or soft");
        }
        return new MigrationBenchOptions(help, bytes, rounds, guest, json);
    }
}
