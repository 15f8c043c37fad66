package io.godwit.bench;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/** Command line of {@link CrashLoop}. */
record CrashLoopOptions(
        boolean help,
        int rounds,
        long seed,
        int hosts,
        int vms,
        int coordinators,
        Optional<String> points,
        int first,
        boolean keep) {
    static final String USAGE = """
            usage: crash-loop [--rounds N] [--seed S] [--hosts N] [--vms N] [--coordinators 1|3]
                              [--points kill|stop|cut] [--first N] [--keep]
              --rounds N        rounds, 1 to 1000 (default 200): in each an evacuation is begun, and one process is killed,
                                or stopped for a while, at a drawn moment
              --seed S          of what is drawn (default 1): the same seed draws the same victims and moments
              --hosts N         host agents, 3 to 8 (default 4)
              --vms N           VMs, 1 to 40 (default 20)
              --coordinators N  1, with a file for a store, or 3 over a PostgreSQL that is started for it (default 3)
              --points WHAT     no drawn moments: kill, or stop for 30 s, the coordinator that holds the evacuation, the one
                                that holds the VM's migration, its source, and its destination, each at ten named points;
                                rounds beyond these 40 are not made. Or cut: eight cuts of the network for 30 s between
                                coordinators, hosts and store, in pre-copy and in the switchover (16 rounds; for root).
                                Needs three coordinators
              --first N         with --points: the round to begin with (default 1)
              --keep            leave the processes' logs behind
            Exit codes: 0 nothing ran twice, was lost or got stuck; 1 something did, or it could not be run; 2 bad usage.""";

    /** Whether the network is cut, and no process touched. */
    boolean cuts() {
        return points.equals(Optional.of("cut"));
    }

    /** Names of the hosts. */
    List<String> hostNames() {
        return IntStream.rangeClosed(1, hosts).mapToObj(i -> "host-" + i).toList();
    }

    static CrashLoopOptions parse(String[] args) {
        boolean help = false;
        int rounds = 200;
        long seed = 1;
        int hosts = 4;
        int vms = 20;
        int coordinators = 3;
        Optional<String> points = Optional.empty();
        int first = 1;
        boolean keep = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--rounds" -> rounds = number("--rounds", ThroughputOptions.value(args, i++), 1, 1000);
                case "--seed" -> seed = number("--seed", ThroughputOptions.value(args, i++), 0, Integer.MAX_VALUE);
                case "--hosts" -> hosts = number("--hosts", ThroughputOptions.value(args, i++), 3, 8);
                case "--vms" -> vms = number("--vms", ThroughputOptions.value(args, i++), 1, 40);
                case "--coordinators" ->
                    coordinators = number("--coordinators", ThroughputOptions.value(args, i++), 1, 3);
                case "--points" -> points = Optional.of(points(ThroughputOptions.value(args, i++)));
                case "--first" -> first = number("--first", ThroughputOptions.value(args, i++), 1, Points.rounds());
                case "--keep" -> keep = true;
                default -> throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (coordinators == 2) {
            throw new IllegalArgumentException(
                    "--coordinators 2; expected 1 or 3: of two neither may do without the other");
        }
        if (points.isPresent() && coordinators != 3) {
            throw new IllegalArgumentException("--points with --coordinators " + coordinators + "; expected 3");
        }
        if (points.isEmpty() && first != 1) {
            throw new IllegalArgumentException("--first without --points: drawn moments have no order to begin in");
        }
        return new CrashLoopOptions(help, rounds, seed, hosts, vms, coordinators, points, first, keep);
    }

    private static String points(String text) {
        if (!List.of("kill", "stop", "cut").contains(text)) {
            throw new IllegalArgumentException("--points " + text + "; expected kill, stop or cut");
        }
        return text;
    }

    private static int number(String option, String text, int min, int max) {
        try {
            int value = Integer.parseInt(text);
            if (value >= min && value <= max) {
                return value;
            }
        } catch (NumberFormatException e) {
            // said below, in the same words
        }
        throw new IllegalArgumentException(option + " " + text + "; expected " + min + " to " + max);
    }
}
