package io.godwit.bench;

import java.util.List;

/**
 * Command line of {@link QemuBench}.
 *
 * @param fleets how often the agents start anew: the first migrations after that are those with nothing learnt
 * @param rounds migrations of each guest per fleet; 0 for none
 * @param pairs migrations timed through Godwit and by hand; 0 for none
 * @param bytes RAM of the guest of those
 * @param sharedCores whether both hosts have all cores
 */
record QemuBenchOptions(
        boolean help,
        int fleets,
        int rounds,
        int pairs,
        long bytes,
        String accelerator,
        boolean sharedCores,
        boolean all,
        boolean json) {
    static final String USAGE = """
            usage: qemu [--fleets N] [--rounds N] [--pairs N] [--size SIZE] [--accelerator auto|kvm|tcg] [--shared-cores]
                        [--all] [--output table|json]
              --fleets N      how often the agents start anew, having learnt nothing, 1 to 1000 (default 3)
              --rounds N      migrations of each guest (idle, slow, fast) in each of them, 0 to 1000 (default 8)
              --pairs N       migrations timed through Godwit, and as many by hand, 0 to 1000 (default 50)
              --size SIZE     RAM of the guest that is timed, whole MiB up to 2GiB (default 1GiB)
              --accelerator W of all guests (default auto: kvm where it works, else tcg)
              --shared-cores  both hosts on all cores; default: each has half of them for itself, as a host has
              --all           every migration as a line of its own, too
              --output WHAT   table (default) or json
            Exit codes: 0 goals met, 1 a goal missed or not measured, 2 bad usage.""";

    static QemuBenchOptions parse(String[] args) {
        boolean help = false;
        int fleets = 3;
        int rounds = 8;
        int pairs = 50;
        long bytes = 1L << 30;
        String accelerator = "auto";
        boolean sharedCores = false;
        boolean all = false;
        boolean json = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--fleets" -> fleets = count("--fleets", ThroughputOptions.value(args, i++), 1);
                case "--rounds" -> rounds = count("--rounds", ThroughputOptions.value(args, i++), 0);
                case "--pairs" -> pairs = count("--pairs", ThroughputOptions.value(args, i++), 0);
                case "--size" -> bytes = ThroughputOptions.size(ThroughputOptions.value(args, i++));
                case "--accelerator" -> accelerator = ThroughputOptions.value(args, i++);
                case "--shared-cores" -> sharedCores = true;
                case "--all" -> all = true;
                case "--output" -> json = ThroughputOptions.output(ThroughputOptions.value(args, i++));
                default -> throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (!List.of("auto", "kvm", "tcg").contains(accelerator)) {
            throw new IllegalArgumentException("--accelerator " + accelerator + "; expected auto, kvm or tcg");
        }
        if (bytes > 2L << 30 || bytes % (2L << 20) != 0) {
            throw new IllegalArgumentException("--size " + (bytes >> 20)
                    + "MiB; expected an even number of MiB, at most 2GiB: the guest fills no more");
        }
        if (rounds == 0 && pairs == 0) {
            throw new IllegalArgumentException("--rounds 0 and --pairs 0; expected something to measure");
        }
        return new QemuBenchOptions(help, fleets, rounds, pairs, bytes, accelerator, sharedCores, all, json);
    }

    private static int count(String option, String text, int least) {
        if (!text.matches("[0-9]{1,4}") || Integer.parseInt(text) < least || Integer.parseInt(text) > 1000) {
            throw new IllegalArgumentException(option + " " + text + "; expected " + least + " to 1000");
        }
        return Integer.parseInt(text);
    }
}
