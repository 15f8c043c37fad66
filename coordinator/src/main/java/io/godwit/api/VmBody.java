package io.godwit.api;

import io.godwit.convergence.Policies;
import io.godwit.proto.vm.ContainerSpec;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Body of {@code POST /api/v1/vms}. What is left out gets the default named here.
 *
 * @param name of the VM; required
 * @param host where to create it; left out, the first that fits
 * @param driver {@code auto} (default), {@code kvm}, {@code soft} or {@code qemu}
 * @param memoryBytes required, a multiple of 2 MiB
 * @param vcpus 1 unless given
 * @param workload idle unless given
 * @param devices none unless given
 * @param blackoutBudgetMs 300 unless given
 * @param containers memory containers that are more than the default; none unless given
 * @param convergence its own convergence policy, by name or as a ladder; whatever its migrations say unless given
 * @param qemu what only a guest of driver {@code qemu} has
 * @param ha {@code leave} (default) or {@code restart}: what is done when its host is gone
 */
public record VmBody(
        @Nullable String name,
        @Nullable String host,
        @Nullable String driver,
        @Nullable Long memoryBytes,
        @Nullable Integer vcpus,
        @Nullable Workload workload,
        @Nullable List<Device> devices,
        @Nullable Long blackoutBudgetMs,
        @Nullable List<Container> containers,
        @Nullable String convergence,
        @Nullable QemuBody qemu,
        @Nullable String ha) {
    /** Without a vIOMMU or a convergence policy of its own. */
    public VmBody(
            @Nullable String name,
            @Nullable String host,
            @Nullable String driver,
            @Nullable Long memoryBytes,
            @Nullable Integer vcpus,
            @Nullable Workload workload,
            @Nullable List<Device> devices,
            @Nullable Long blackoutBudgetMs) {
        this(name, host, driver, memoryBytes, vcpus, workload, devices, blackoutBudgetMs, null, null, null);
    }

    /** One that is left to a person when its host is gone. */
    public VmBody(
            @Nullable String name,
            @Nullable String host,
            @Nullable String driver,
            @Nullable Long memoryBytes,
            @Nullable Integer vcpus,
            @Nullable Workload workload,
            @Nullable List<Device> devices,
            @Nullable Long blackoutBudgetMs,
            @Nullable List<Container> containers,
            @Nullable String convergence,
            @Nullable QemuBody qemu) {
        this(
                name,
                host,
                driver,
                memoryBytes,
                vcpus,
                workload,
                devices,
                blackoutBudgetMs,
                containers,
                convergence,
                qemu,
                null);
    }

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,62}");
    private static final List<String> DRIVERS = List.of("auto", "kvm", "soft", QemuSpec.DRIVER);
    private static final List<String> REPORTING = List.of("PERSISTENT", "HARDWARE_TRACKED", "STOP_COPY_ONLY");
    private static final List<String> POLICIES = List.of(VmSpec.LEAVE, VmSpec.RESTART);
    private static final long BLACKOUT_BUDGET_MS = 300;

    /**
     * What the guest program does; every part 0 or false unless given.
     *
     * @param workingSetBytes memory it writes
     * @param dirtyBytesPerSecond how fast; 0 for as fast as it can
     * @param fill whether RAM holds a pattern from the start
     */
    public record Workload(
            @Nullable Long workingSetBytes,
            @Nullable Long dirtyBytesPerSecond,
            @Nullable Boolean fill) {}

    /**
     * A device; sizes are 0 unless given.
     *
     * @param name required, unique in the VM
     * @param model required, a device pool such as {@code gpu}
     * @param container memory container; {@code default} unless given
     * @param stateBytes its own state
     * @param stateDirtyBytesPerSecond how fast that changes
     * @param pinnedBytes guest memory pinned for DMA
     * @param dmaBytesPerSecond how fast it writes there
     * @param dirtyReporting {@code PERSISTENT} unless given
     */
    public record Device(
            @Nullable String name,
            @Nullable String model,
            @Nullable String container,
            @Nullable Long stateBytes,
            @Nullable Long stateDirtyBytesPerSecond,
            @Nullable Long pinnedBytes,
            @Nullable Long dmaBytesPerSecond,
            @Nullable String dirtyReporting) {}

    /**
     * A memory container (IOMMU address space).
     *
     * @param name required, as a device names it
     * @param viommu whether the guest programs a vIOMMU in front of it; false unless given
     * @param remapBytesPerSecond how fast it unmaps and maps anew what is pinned; 0 unless given
     */
    public record Container(
            @Nullable String name,
            @Nullable Boolean viommu,
            @Nullable Long remapBytesPerSecond) {}

    /** Where it is to be created, if said. */
    public Optional<String> wantedHost() {
        return Optional.ofNullable(host);
    }

    /**
     * The VM it asks for.
     *
     * @param policies convergence policies that it may name
     * @throws ApiProblem 400, naming the field and what was expected
     */
    public VmSpec spec(Policies policies) {
        String named = requiredName("name", name);
        String wanted = oneOf("driver", driver == null ? "auto" : driver, DRIVERS);
        if (memoryBytes == null) {
            throw ApiProblem.badRequest("field 'memoryBytes' is missing; expected a whole number of bytes");
        }
        Workload work = workload == null ? new Workload(null, null, null) : workload;
        List<Device> given = devices == null ? List.of() : devices;
        List<DeviceSpec> specs = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            specs.add(device("devices[" + i + "]", given.get(i)));
        }
        String afterLoss = oneOf("ha", ha == null ? VmSpec.LEAVE : ha, POLICIES);
        VmSpec spec = new VmSpec(
                        named,
                        wanted,
                        notNegative("memoryBytes", memoryBytes, 0),
                        vcpus == null ? 1 : vcpus,
                        new WorkloadSpec(
                                notNegative("workload.workingSetBytes", work.workingSetBytes(), 0),
                                notNegative("workload.dirtyBytesPerSecond", work.dirtyBytesPerSecond(), 0),
                                Boolean.TRUE.equals(work.fill())),
                        specs,
                        notNegative("blackoutBudgetMs", blackoutBudgetMs, BLACKOUT_BUDGET_MS),
                        containerSpecs(),
                        convergence(policies))
                .withHa(afterLoss);
        if (!spec.outlivesAgent()) {
            if (qemu != null) {
                throw ApiProblem.badRequest(
                        "field 'qemu' is given for a VM with driver " + wanted + "; expected driver qemu with it");
            }
            VmLimits.check(spec);
            return spec;
        }
        VmSpec guest = spec.withQemu((qemu == null ? QemuBody.NONE : qemu).spec());
        // first what a QEMU guest is not asked for at all, then sizes
        QemuLimits.check(guest);
        VmLimits.check(guest);
        return guest;
    }

    private List<ContainerSpec> containerSpecs() {
        List<Container> given = containers == null ? List.of() : containers;
        List<ContainerSpec> specs = new ArrayList<>();
        for (int i = 0; i < given.size(); i++) {
            String at = "containers[" + i + "]";
            Container container = given.get(i);
            if (container == null) {
                throw ApiProblem.badRequest("field '" + at + "' is null; expected a container");
            }
            specs.add(new ContainerSpec(
                    requiredName(at + ".name", container.name()),
                    Boolean.TRUE.equals(container.viommu()),
                    notNegative(at + ".remapBytesPerSecond", container.remapBytesPerSecond(), 0)));
        }
        return specs;
    }

    private String convergence(Policies policies) {
        String given = convergence == null ? "" : convergence;
        try {
            policies.named(given);
        } catch (IllegalArgumentException e) {
            throw ApiProblem.badRequest("field 'convergence': " + e.getMessage());
        }
        return given;
    }

    private static DeviceSpec device(String at, @Nullable Device given) {
        if (given == null) {
            throw ApiProblem.badRequest("field '" + at + "' is null; expected a device");
        }
        String reporting = given.dirtyReporting() == null ? "PERSISTENT" : given.dirtyReporting();
        return new DeviceSpec(
                requiredName(at + ".name", given.name()),
                requiredName(at + ".model", given.model()),
                given.container() == null ? "default" : requiredName(at + ".container", given.container()),
                notNegative(at + ".stateBytes", given.stateBytes(), 0),
                notNegative(at + ".stateDirtyBytesPerSecond", given.stateDirtyBytesPerSecond(), 0),
                notNegative(at + ".pinnedBytes", given.pinnedBytes(), 0),
                notNegative(at + ".dmaBytesPerSecond", given.dmaBytesPerSecond(), 0),
                oneOf(at + ".dirtyReporting", reporting, REPORTING));
    }

    /** Names become parts of paths, file names and actor names: only what is safe in all of them. */
    private static String requiredName(String field, @Nullable String value) {
        if (value == null) {
            throw ApiProblem.badRequest("field '" + field + "' is missing; expected a name");
        }
        if (!NAME.matcher(value).matches()) {
            throw ApiProblem.badRequest("field '" + field + "' is '" + value
                    + "'; expected 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit");
        }
        return value;
    }

    private static String oneOf(String field, String value, List<String> allowed) {
        if (!allowed.contains(value)) {
            throw ApiProblem.badRequest(
                    "field '" + field + "' is '" + value + "'; expected one of " + String.join(", ", allowed));
        }
        return value;
    }

    private static long notNegative(String field, @Nullable Long value, long absent) {
        if (value != null && value < 0) {
            throw ApiProblem.badRequest("field '" + field + "' is " + value + "; expected 0 or more");
        }
        return value == null ? absent : value;
    }
}
