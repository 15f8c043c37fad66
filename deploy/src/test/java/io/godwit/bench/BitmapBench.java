package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * How long a dirty sync, a merge and a pass over the runs take for a guest of 64 GiB, and that none of them allocates
 * anything per page, by JMH and its gc profiler.
 */
public final class BitmapBench {
    static final String USAGE = """
            usage: bitmaps [--only OPERATION] [--seconds N] [--output table|json]
              --only OPERATION  one operation, such as takeRuns (default all)
              --seconds N       seconds measured per operation and pattern, 1 to 60 (default 3)
              --output WHAT     table (default) or json
            Exit codes: 0 goal met, 1 goal missed or not measured, 2 bad usage.""";

    /** Command line. */
    record Options(boolean help, String only, int seconds, boolean json) {
        static Options parse(String[] args) {
            boolean help = false;
            String only = "[a-zA-Z]+";
            int seconds = 3;
            boolean json = false;
            for (int i = 0; i < args.length; i++) {
                switch (args[i]) {
                    case "--help", "-h" -> help = true;
                    case "--only" -> only = operation(ThroughputOptions.value(args, i++));
                    case "--seconds" -> seconds = seconds(ThroughputOptions.value(args, i++));
                    case "--output" -> json = ThroughputOptions.output(ThroughputOptions.value(args, i++));
                    default -> throw new IllegalArgumentException("unknown argument " + args[i]);
                }
            }
            return new Options(help, only, seconds, json);
        }

        private static String operation(String text) {
            if (!BitmapBenchResult.OPERATIONS.containsKey(text)) {
                throw new IllegalArgumentException(
                        "--only " + text + "; expected one of " + BitmapBenchResult.OPERATIONS.keySet());
            }
            return text;
        }

        private static int seconds(String text) {
            if (!text.matches("[0-9]{1,2}") || Integer.parseInt(text) < 1 || Integer.parseInt(text) > 60) {
                throw new IllegalArgumentException("--seconds " + text + "; expected 1 to 60");
            }
            return Integer.parseInt(text);
        }
    }

    private BitmapBench() {}

    /** Runs it; exits 0 when the goal is met, 1 when not or when it could not be measured, 2 on bad usage. */
    public static void main(String[] args) throws Exception {
        Options options;
        try {
            options = Options.parse(args);
        } catch (IllegalArgumentException e) {
            System.err.println("bitmaps: " + e.getMessage() + "\n" + USAGE);
            System.exit(2);
            return;
        }
        if (options.help()) {
            System.out.println(USAGE);
            return;
        }
        BitmapBenchResult result = new BitmapBenchResult(measure(options));
        System.out.print(
                options.json()
                        ? new ObjectMapper()
                                        .writerWithDefaultPrettyPrinter()
                                        .writeValueAsString(result.document(new ObjectMapper()))
                                + "\n"
                        : result.table());
        System.exit(result.meetsGoal() ? 0 : 1);
    }

    private static List<BitmapBenchResult.Row> measure(Options options) throws Exception {
        Collection<RunResult> results = new Runner(new OptionsBuilder()
                        .include("^" + BitmapBenchmarks.class.getName() + "\\." + options.only() + "$")
                        .forks(1)
                        .warmupIterations(2)
                        .warmupTime(TimeValue.seconds(1))
                        // one long iteration: what the harness allocates between two is a share of few slow operations
                        .measurementIterations(1)
                        .measurementTime(TimeValue.seconds(options.seconds()))
                        .addProfiler(GCProfiler.class)
                        .verbosity(VerboseMode.SILENT)
                        .shouldFailOnError(true)
                        .build())
                .run();
        List<BitmapBenchResult.Row> rows = new ArrayList<>();
        for (RunResult result : results) {
            String name = result.getParams().getBenchmark();
            Result<?> time = result.getPrimaryResult();
            Result<?> allocated = result.getSecondaryResults().get("gc.alloc.rate.norm");
            if (allocated == null) {
                throw new IllegalStateException("the gc profiler says nothing of allocation; it says "
                        + result.getSecondaryResults().keySet());
            }
            rows.add(new BitmapBenchResult.Row(
                    name.substring(name.lastIndexOf('.') + 1),
                    PagePattern.valueOf(result.getParams().getParam("pattern")),
                    time.getScore(),
                    allocated.getScore()));
        }
        return rows;
    }
}
