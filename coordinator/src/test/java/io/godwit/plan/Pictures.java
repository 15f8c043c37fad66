package io.godwit.plan;

import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Specs, inventories and fleets for tests. */
public final class Pictures {
    private static final long MIB = 1 << 20;

    private Pictures() {}

    /** A soft VM; {@code models} are its devices' models. */
    public static VmSpec vm(String name, long mib, String... models) {
        return vm(name, "soft", mib, models);
    }

    /** A VM of some driver. */
    public static VmSpec vm(String name, String driver, long mib, String... models) {
        List<DeviceSpec> devices = IntStream.range(0, models.length)
                .mapToObj(i -> new DeviceSpec("dev-" + i, models[i], "c0", 4096, 0, 0, 0, "PERSISTENT"))
                .toList();
        return new VmSpec(name, driver, mib * MIB, 1, new WorkloadSpec(0, 0, false), devices, 1000);
    }

    /** A VM that runs under epoch 1. */
    public static VmStatus running(VmSpec spec) {
        return new VmStatus(spec, RunState.RUNNING, 1, Optional.empty(), false, Optional.empty());
    }

    /** A host's report. */
    public static HostInventory inventory(
            String host, long sequence, long mib, Map<String, Integer> devices, List<VmStatus> vms) {
        return new HostInventory(
                host,
                "one",
                sequence,
                new HostCapacity(mib * MIB, devices, 2, 2),
                List.of("soft"),
                new DataEndpoint("127.0.0.1", 7000),
                vms);
    }

    /** A host in sight. */
    public static HostView up(String host, long mib, Map<String, Integer> devices, VmSpec... vms) {
        return host(host, "UP", false, mib, devices, vms);
    }

    /** A host in any state. */
    public static HostView host(
            String host, String state, boolean cordoned, long mib, Map<String, Integer> devices, VmSpec... vms) {
        return new HostView(
                host,
                state,
                cordoned,
                0,
                Optional.of(inventory(
                        host,
                        1,
                        mib,
                        devices,
                        Arrays.stream(vms).map(Pictures::running).toList())));
    }

    /** A host in sight that reports these. */
    public static HostView reports(String host, long mib, VmStatus... vms) {
        return new HostView(host, "UP", false, 0, Optional.of(inventory(host, 1, mib, Map.of(), List.of(vms))));
    }

    /** A VM under epoch 1 that {@code migration} moves: at its source, or on its way in. */
    public static VmStatus moving(VmSpec spec, String migration, boolean incoming) {
        RunState state = incoming ? RunState.PAUSED : RunState.RUNNING;
        return new VmStatus(spec, state, 1, Optional.of(migration), incoming, Optional.empty());
    }

    /** A fleet of these hosts and the VMs that they report. */
    public static FleetShown fleet(HostView... hosts) {
        List<VmView> vms = new ArrayList<>();
        for (HostView host : hosts) {
            host.inventory()
                    .ifPresent(inventory -> inventory.vms().stream()
                            .filter(vm -> !vm.incoming())
                            .forEach(vm -> vms.add(new VmView(
                                    vm.spec(),
                                    vm.runState().name(),
                                    Optional.of(host.host()),
                                    vm.epoch(),
                                    vm.migration(),
                                    Optional.empty()))));
        }
        return new FleetShown(List.of(hosts), vms);
    }
}
