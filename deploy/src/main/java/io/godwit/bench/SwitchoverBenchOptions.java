package io.godwit.bench;

import java.util.List;
import java.util.Set;

/** Command line of {@link SwitchoverBench}. */
record SwitchoverBenchOptions(
        boolean help, long bytes, int rounds, String guest, List<String> devices, boolean verify, boolean json) {
    static final String USAGE = """
            usage: switchover [--rounds N] [--size SIZE] [--guest auto|kvm|soft] [--devices MODEL,...] [--verify]
                              [--output table|json]
              --rounds N       migrations, every one counted, 1 to 1000 (default 100)
              --size SIZE      RAM of the guest, whole MiB, such as 64MiB (default 64MiB)
              --guest WHAT     guest driver (default auto: kvm where it works, else soft)
              --devices MODEL  device models of the guest, such as gpu or gpu,vnic, each with a little state
                               (default none)
              --verify         compare digests of both sides while the guest stands still
              --output WHAT    table (default) or json
            Exit codes: 0 goal met, 1 goal missed or not measured, 2 bad usage.""";

    SwitchoverBenchOptions {
        devices = List.copyOf(devices);
    }

    static SwitchoverBenchOptions parse(String[] args) {
        boolean help = false;
        long bytes = 64L << 20;
        int rounds = 100;
        String guest = "auto";
        List<String> devices = List.of();
        boolean verify = false;
        boolean json = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--rounds" -> rounds = ThroughputOptions.rounds(ThroughputOptions.value(args, i++));
                case "--size" -> bytes = ThroughputOptions.size(ThroughputOptions.value(args, i++));
                case "--guest" -> guest = ThroughputOptions.value(args, i++);
                case "--devices" -> devices = devices(ThroughputOptions.value(args, i++));
                case "--verify" -> verify = true;
                case "--output" -> json = ThroughputOptions.output(ThroughputOptions.value(args, i++));
                default -> throw new IllegalArgumentException("unknown argument " + args[i]);
            }
        }
        if (!Set.of("auto", "kvm", "soft").contains(guest)) {
            throw new IllegalArgumentException("--guest " + guest + "; expected auto, kvm or soft");
        }
        return new SwitchoverBenchOptions(help, bytes, rounds, guest, devices, verify, json);
    }

    private static List<String> devices(String text) {
        List<String> models = List.of(text.split(",", -1));
        // a host of the bench has one device of each model
        if (!models.stream().allMatch(model -> model.matches("[a-z0-9-]+"))
                || Set.copyOf(models).size() < models.size()) {
            throw new IllegalArgumentException(
                    "--devices " + text + "; expected different device models with commas between, such as gpu,vnic");
        }
        return models;
    }
}
