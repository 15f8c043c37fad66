import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.btrplace.model.DefaultModel;
import org.btrplace.model.Instance;
import org.btrplace.model.Model;
import org.btrplace.model.Node;
import org.btrplace.model.VM;
import org.btrplace.model.constraint.MinMTTR;
import org.btrplace.model.constraint.Offline;
import org.btrplace.model.constraint.SatConstraint;
import org.btrplace.model.view.ShareableResource;
import org.btrplace.plan.ReconfigurationPlan;
import org.btrplace.plan.event.MigrateVM;
import org.btrplace.scheduler.choco.DefaultChocoScheduler;
import org.btrplace.scheduler.choco.duration.LinearToAResourceActionDuration;

/**
 * Plans with BtrPlace to empty hosts of a fleet, memory only and without a network, several times in one JVM, and prints the
 * milliseconds and the migrations of each time. The fleet: a line {@code host NAME MIB DRAINED} for each host, DRAINED being 0 or
 * 1, then a line {@code vm NAME HOST MIB} for each VM. In repair mode, which is its faster one, it considers only what is misplaced.
 */
public class BtrPlaceDrain {
    /** As many as a plan may take, seconds. Its default of 3,600 silently gives no plan. */
    private static final int MOST_SECONDS = 100_000;

    private static final int LIMIT_SECONDS = 300;

    /** {@code args}: the fleet's file, how often. */
    public static void main(String[] args) throws Exception {
        List<String> lines = Files.readAllLines(Path.of(args[0]));
        for (int run = 0; run < Integer.parseInt(args[1]); run++) {
            long began = System.nanoTime();
            ReconfigurationPlan plan = plan(lines);
            long millis = (System.nanoTime() - began) / 1_000_000;
            if (plan == null) {
                System.err.println("no plan");
                System.exit(1);
            }
            long moves = plan.getActions().stream().filter(MigrateVM.class::isInstance).count();
            System.out.println(millis + " " + moves);
        }
    }

    private static ReconfigurationPlan plan(List<String> lines) throws Exception {
        Model model = new DefaultModel();
        ShareableResource memory = new ShareableResource("mem", 0, 0);
        model.attach(memory);
        List<SatConstraint> constraints = new ArrayList<>();
        Map<String, Node> hosts = new HashMap<>();
        for (String line : lines) {
            String[] words = line.split(" ");
            if (words[0].equals("host")) {
                Node host = model.newNode();
                hosts.put(words[1], host);
                model.getMapping().addOnlineNode(host);
                memory.setCapacity(host, Integer.parseInt(words[2]));
                if (words[3].equals("1")) {
                    constraints.add(new Offline(host));
                }
            } else {
                VM vm = model.newVM();
                model.getMapping().addRunningVM(vm, hosts.get(words[2]));
                memory.setConsumption(vm, Integer.parseInt(words[3]));
            }
        }
        DefaultChocoScheduler scheduler = new DefaultChocoScheduler();
        scheduler.doRepair(true);
        scheduler.setTimeLimit(LIMIT_SECONDS);
        scheduler.setMaxEnd(MOST_SECONDS);
        scheduler.getDurationEvaluators().register(MigrateVM.class, new LinearToAResourceActionDuration<>("mem", 1, 1));
        return scheduler.solve(new Instance(model, constraints, new MinMTTR()));
    }
}
