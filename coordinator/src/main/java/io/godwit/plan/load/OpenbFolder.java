package io.godwit.plan.load;

import io.godwit.plan.model.HeldSlots;
import io.godwit.plan.model.Network;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanHost;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.RamProfile;
import io.godwit.plan.model.SlotNeed;
import io.godwit.plan.model.TransferModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Alibaba's published GPU fleet (cluster-trace-gpu-v2023, "openb"): a folder with {@code nodes.csv} (name, thousandths of cores, memory
 * in MiB, GPUs, GPU model) and {@code pods.csv} (name, thousandths of cores, memory, GPUs, thousandths of each GPU, accepted models),
 * plain or gzip. The trace does not say where pods run: they are taken as VMs and put first-fit, in the file's order; those that fit
 * nowhere are left out. With all of them, also those that had ended or waited, nine of ten GPUs are taken. Hosts hang on one non-blocking switch with 10 Gbit/s each, which the trace does not say either.
 */
public final class OpenbFolder {
    private static final long HOST_MBIT = 10_000;
    private static final long WHOLE_GPU = 1000;
    private static final double MB_PER_MIB = 1.048576;
    private static final String GPU = "gpu";
    private static final String SWITCH = "switch";

    private final List<PlanHost> hosts = new ArrayList<>();
    private final List<HeldSlots> gpus = new ArrayList<>();
    private final List<long[]> free = new ArrayList<>();
    private final Map<String, Set<String>> hostsOfModels = new HashMap<>();

    private OpenbFolder() {}

    /**
     * Reads a folder, all pods.
     *
     * @throws InputProblem naming the file, the line and the field
     */
    public static PlanCase read(Path folder) {
        return new OpenbFolder().plan(folder, false);
    }

    /**
     * Reads a folder, only the pods that were running.
     *
     * @throws InputProblem naming the file, the line and the field
     */
    public static PlanCase readRunning(Path folder) {
        return new OpenbFolder().plan(folder, true);
    }

    private PlanCase plan(Path folder, boolean runningOnly) {
        List<Network.Link> links = new ArrayList<>();
        for (CsvRow row : rows(folder, "nodes.csv")) {
            long count = row.number("gpu");
            PlanHost host = new PlanHost(
                    row.text("sn"),
                    Map.of("cpu", row.number("cpu_milli"), "memory", row.number("memory_mib")),
                    0,
                    0,
                    "",
                    PlanHost.UNLIMITED,
                    PlanHost.UNLIMITED,
                    "",
                    row.text("model").isEmpty() ? Set.of() : Set.of(row.text("model")),
                    count == 0 ? Map.of() : Map.of(GPU, Collections.nCopies((int) count, WHOLE_GPU)));
            hosts.add(host);
            gpus.add(new HeldSlots(host));
            free.add(new long[] {row.number("cpu_milli"), row.number("memory_mib")});
            links.add(new Network.Link(host.name(), SWITCH, HOST_MBIT));
        }
        List<PlanVm> vms = new ArrayList<>();
        for (CsvRow row : rows(folder, "pods.csv")) {
            if (!runningOnly || row.text("pod_phase").equals("Running")) {
                firstFit(row, vms);
            }
        }
        return new PlanCase(
                hosts,
                vms,
                new Network(Map.of(SWITCH, Network.UNLIMITED), links, List.of()),
                List.of(),
                TransferModel.STANDARD,
                Set.of(),
                Map.of(),
                Long.MAX_VALUE);
    }

    private void firstFit(CsvRow row, List<PlanVm> vms) {
        long cpu = row.number("cpu_milli");
        long memory = row.number("memory_mib");
        int count = (int) row.number("num_gpu");
        Map<String, SlotNeed> need = count == 0 ? Map.of() : Map.of(GPU, new SlotNeed(count, row.number("gpu_milli")));
        List<String> models = row.text("gpu_spec").isEmpty()
                ? List.of()
                : List.of(row.text("gpu_spec").split("\\|", -1));
        for (int h = 0; h < hosts.size(); h++) {
            long[] left = free.get(h);
            if (left[0] < cpu || left[1] < memory || !has(hosts.get(h), models)) {
                continue;
            }
            PlanVm vm = vm(row.text("name"), h, cpu, memory, need, models, Map.of());
            Map<String, List<Integer>> slots = gpus.get(h).choose(vm);
            if (slots != null) {
                gpus.get(h).take(vm, slots, 1);
                left[0] -= cpu;
                left[1] -= memory;
                vms.add(vm(vm.name(), h, cpu, memory, need, models, slots));
                return;
            }
        }
    }

    private static boolean has(PlanHost host, List<String> models) {
        return models.isEmpty() || models.stream().anyMatch(host.tags()::contains);
    }

    private PlanVm vm(
            String name,
            int h,
            long cpu,
            long memory,
            Map<String, SlotNeed> need,
            List<String> models,
            Map<String, List<Integer>> slots) {
        Set<String> only = models.isEmpty()
                ? Set.of()
                : hostsOfModels.computeIfAbsent(
                        String.join("|", models),
                        _ -> Set.copyOf(hosts.stream()
                                .filter(host -> has(host, models))
                                .map(PlanHost::name)
                                .toList()));
        return new PlanVm(
                name,
                hosts.get(h).name(),
                Map.of("cpu", cpu, "memory", memory),
                RamProfile.idle(memory * MB_PER_MIB),
                Long.MAX_VALUE,
                0,
                "",
                only,
                Set.of(),
                Set.of(),
                need,
                slots);
    }

    private static List<CsvRow> rows(Path folder, String name) {
        Path file = Files.exists(folder.resolve(name)) ? folder.resolve(name) : folder.resolve(name + ".gz");
        return CsvRow.read(file);
    }
}
