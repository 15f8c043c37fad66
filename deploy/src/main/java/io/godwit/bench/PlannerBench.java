package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.godwit.plan.BatchPlanner;
import io.godwit.plan.check.PlanChecker;
import io.godwit.plan.load.BtrPlaceFile;
import io.godwit.plan.load.InputProblem;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.schedule.Scheduler;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Plans every drain instance of a folder and sets makespan and mean end beside what BtrPlace planned for it, and beside the
 * busiest-link bound. The first plan is the JVM's first, too: nothing is warmed up.
 */
public final class PlannerBench {
    private static final String USAGE = """
            Usage: planner [--instances DIR] [--random N] [--peers small|large|none] [--output table|json]
            Plans BtrPlace's published drain instances (DIR: *.json.gz and btrplace.csv with what BtrPlace plans) and prints, for each, makespan, mean
            end, the busiest-link bound and the time that planning took. Exits 1 when a goal is missed: every plan passes the checker, is planned
            within 1 s, has a better mean end and a shorter makespan than BtrPlace's (or the bound, where BtrPlace has met it), and makespan over
            bound is 1.04 or less in the median, 1.10 at worst. Where hosts are drained, FREE is what choosing destinations freely gains.
            Then plans made-up fleets (20 VMs on each host, 60 % full): 1,000 hosts with 50 drained in under 0.5 s and 5,000 with 250 in under 5 s, warm.
            Then the same kind of fleets beside BtrPlace 1.9.3 (in its repair mode, without a network) and Ganeti's hbal, each at sizes that it can do:
            small (the default) takes a minute, large four more. A peer that is not there is said to be missing.
            Then plans N (2000) small fleets drawn at random with every kind of constraint: no plan may break anything.""";

    private PlannerBench() {}

    /** The first argument is the folder unless {@code --instances} names another; exits 0, 1 (a goal missed) or 2 (bad usage). */
    public static void main(String[] args) throws IOException {
        Path folder = Path.of(args.length > 0 ? args[0] : ".");
        boolean json = false;
        int random = 2000;
        String peers = "small";
        Iterator<String> words = Arrays.stream(args).skip(1).iterator();
        while (words.hasNext()) {
            String option = words.next();
            if (List.of("--help", "-h").contains(option)) {
                System.out.println(USAGE);
                return;
            }
            String value = words.hasNext() ? words.next() : "";
            switch (option) {
                case "--cold-fleet" -> {
                    String[] size = value.split("/", -1);
                    FleetBench.printCold(Integer.parseInt(size[0]), Integer.parseInt(size[1]));
                    return;
                }
                case "--random" -> {
                    if (!value.matches("[0-9]{1,7}")) {
                        usage("--random '" + value + "'; expected a whole number");
                        return;
                    }
                    random = Integer.parseInt(value);
                }
                case "--peers" -> {
                    if (!List.of("small", "large", "none").contains(value)) {
                        usage("--peers '" + value + "'; expected small, large or none");
                        return;
                    }
                    peers = value;
                }
                case "--instances" -> folder = Path.of(value);
                case "--output" -> {
                    if (!List.of("table", "json").contains(value)) {
                        usage("--output '" + value + "'; expected table or json");
                        return;
                    }
                    json = value.equals("json");
                }
                default -> {
                    usage("unknown option '" + option + "'");
                    return;
                }
            }
        }
        PlannerBenchResult result;
        try {
            result = measure(folder);
            FleetBench.measure().forEach(result::add);
            if (!peers.equals("none")) {
                Path deploy = Path.of(System.getProperty("godwit.deploy", "deploy"));
                PeerPlanners.measure(deploy, peers.equals("large")).forEach(result::add);
            }
            result.add(RandomFleets.plan(random));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        } catch (InputProblem | IOException e) {
            usage("--instances " + folder + ": " + e.getMessage());
            return;
        }
        System.out.print(
                json
                        ? new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(result.document())
                                + "\n"
                        : result.table());
        result.misses().forEach(miss -> System.err.println("planner: " + miss));
        System.exit(result.misses().isEmpty() ? 0 : 1);
    }

    private static void usage(String problem) {
        System.err.println("planner: " + problem + "\n" + USAGE);
        System.exit(2);
    }

    /** Makespan with no destination given, in seconds; 0 where nothing would have to move then. */
    private static double free(PlanCase instance) {
        if (instance.drained().isEmpty()) {
            return 0;
        }
        PlanCase free = new PlanCase(
                instance.hosts(),
                instance.vms(),
                instance.network(),
                instance.rules(),
                instance.transfer(),
                instance.drained(),
                Map.of(),
                instance.reserves(),
                instance.deadlineMs());
        BatchPlan plan = BatchPlanner.plan(free, Scheduler.Effort.STANDARD);
        boolean sound =
                plan.unmoved().isEmpty() && PlanChecker.check(free, plan).isEmpty();
        return sound ? plan.makespanMs() / 1000.0 : -1;
    }

    /** Plans all instances of {@code folder}. */
    static PlannerBenchResult measure(Path folder) throws IOException {
        Map<String, double[]> peers = new TreeMap<>();
        for (String line : Files.readAllLines(folder.resolve("btrplace.csv"))) {
            String[] cells = line.split(",", -1);
            if (!cells[0].equals("instance")) {
                peers.put(cells[0], new double[] {
                    Double.parseDouble(cells[1]), Double.parseDouble(cells[2]), Double.parseDouble(cells[3])
                });
            }
        }
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".json.gz"))
                    .sorted()
                    .toList();
        }
        PlannerBenchResult result = new PlannerBenchResult();
        for (Path file : files) {
            String name = String.valueOf(file.getFileName()).replace(".json.gz", "");
            PlanCase instance = BtrPlaceFile.read(file);
            long began = System.nanoTime();
            BatchPlan plan = BatchPlanner.plan(instance, Scheduler.Effort.STANDARD);
            long millis = (System.nanoTime() - began) / 1_000_000;
            boolean sound = plan.unmoved().isEmpty()
                    && PlanChecker.check(instance, plan).isEmpty();
            double[] peer = peers.get(name);
            if (peer == null) {
                throw new InputProblem("btrplace.csv has no line for " + name);
            }
            result.add(new PlannerBenchResult.Row(
                    name,
                    plan.moves().size(),
                    plan.makespanMs() / 1000.0,
                    plan.lowerBoundMs() / 1000.0,
                    plan.meanEndMs() / 1000,
                    millis,
                    sound,
                    free(instance),
                    peer[0],
                    peer[1],
                    peer[2]));
        }
        return result;
    }
}
