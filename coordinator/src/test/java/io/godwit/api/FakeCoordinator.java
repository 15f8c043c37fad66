package io.godwit.api;

import io.godwit.fleet.Coordinator;
import io.godwit.fleet.CoordinatorException;
import io.godwit.plan.Placement;
import io.godwit.plan.Plan;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCapacity;
import io.godwit.proto.host.HostInventory;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * A coordinator in memory: hosts host-1 and host-2, VM vm-a on host-1. Migrations end at once; what it was asked is
 * recorded.
 */
public final class FakeCoordinator implements Coordinator {
    /** Options of the last migration or evacuation that was started. */
    public final AtomicReference<MigrationOptions> lastOptions = new AtomicReference<>();

    /** VMs by name. */
    public final Map<String, VmSpec> vms = new ConcurrentHashMap<>();

    /** How an evacuation ends: the state of vm-a and why. */
    public final AtomicReference<EvacuationView.VmRow> outcome = new AtomicReference<>(new EvacuationView.VmRow(
            "vm-a", "host-1", Optional.of("host-2"), "MOVED", List.of("m-1"), Optional.empty()));

    private final Map<String, Boolean> cordons = new ConcurrentHashMap<>();
    private final Map<String, MigrationView> migrations = new ConcurrentHashMap<>();

    /** With vm-a. */
    public FakeCoordinator() {
        vms.put("vm-a", spec("vm-a"));
    }

    /** A small VM. */
    public static VmSpec spec(String name) {
        return new VmSpec(name, "soft", 64L << 20, 1, new WorkloadSpec(0, 0, false), List.of(), 300);
    }

    @Override
    public CompletionStage<FleetShown> fleet() {
        List<HostView> hosts = new ArrayList<>();
        for (String id : List.of("host-1", "host-2")) {
            hosts.add(new HostView(
                    id,
                    "UP",
                    cordons.getOrDefault(id, false),
                    12,
                    Optional.of(new HostInventory(
                            id,
                            "i1",
                            1,
                            new HostCapacity(1L << 30, Map.of("gpu", 2), 2, 2),
                            List.of("soft"),
                            new DataEndpoint("127.0.0.1", 9),
                            List.of()))));
        }
        List<VmView> views = vms.values().stream()
                .map(spec -> new VmView(spec, "RUNNING", Optional.of("host-1"), 1, Optional.empty(), Optional.empty()))
                .toList();
        return done(() -> new FleetShown(hosts, views));
    }

    @Override
    public CompletionStage<VmStatus> createVm(VmSpec spec, Optional<String> host) {
        return done(() -> {
            if (vms.putIfAbsent(spec.name(), spec) != null) {
                throw new CoordinatorException.Refused("VM '" + spec.name() + "' exists already");
            }
            return new VmStatus(
                    spec.withDriver("soft"), RunState.RUNNING, 1, Optional.empty(), false, Optional.empty());
        });
    }

    @Override
    public CompletionStage<Void> destroyVm(String vm) {
        return done(() -> {
            if (vms.remove(vm) == null) {
                throw new CoordinatorException.NotFound("vm", vm);
            }
            return null;
        });
    }

    @Override
    public CompletionStage<Void> cordon(String host, boolean cordoned) {
        cordons.put(host, cordoned);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<MigrationView> startMigration(String vm, Optional<String> to, MigrationOptions options) {
        lastOptions.set(options);
        MigrationView view = new MigrationView(
                "m-" + (migrations.size() + 1),
                vm,
                "host-1",
                to.orElse("host-2"),
                "soft",
                vm.equals("vm-bad") ? MigrationPhase.FAILED : MigrationPhase.COMPLETED,
                vm.equals("vm-bad") ? Optional.of("the link broke") : Optional.empty(),
                false,
                2,
                List.of(),
                SaveStats.NONE,
                Downtime.NONE,
                true,
                0,
                false,
                SaveLimits.NONE,
                List.of(),
                Optional.empty());
        migrations.put(view.id(), view);
        return done(() -> view);
    }

    @Override
    public CompletionStage<MigrationView> migration(String id) {
        return done(() -> Optional.ofNullable(migrations.get(id))
                .orElseThrow(() -> new CoordinatorException.NotFound("migration", id)));
    }

    @Override
    public CompletionStage<List<MigrationView>> migrations() {
        return done(() -> List.copyOf(migrations.values()));
    }

    @Override
    public CompletionStage<MigrationView> cancelMigration(String id, String reason) {
        return done(() -> {
            throw new CoordinatorException.Refused("migration '" + id + "' has ended");
        });
    }

    @Override
    public CompletionStage<EvacuationView> startEvacuation(List<String> hosts, MigrationOptions options) {
        lastOptions.set(options);
        return evacuation("e-1");
    }

    @Override
    public CompletionStage<EvacuationView> evacuation(String id) {
        EvacuationView.VmRow row = outcome.get();
        String state = row.state().equals("MOVED") ? "COMPLETED" : "FAILED";
        return done(() -> new EvacuationView(id, List.of("host-1"), state, List.of(row), 1234));
    }

    @Override
    public CompletionStage<List<EvacuationView>> evacuations() {
        return done(List::of);
    }

    @Override
    public CompletionStage<Plan> planEvacuation(List<String> hosts, MigrationOptions options) {
        EvacuationView.VmRow row = outcome.get();
        return done(() -> new Plan(List.of(new Placement(row.vm(), row.from(), row.to(), row.reason()))));
    }

    @Override
    public CompletionStage<GuestCheck> checkVm(String vm) {
        return done(() -> {
            throw new CoordinatorException.Unavailable("host-1 did not answer for 5 s");
        });
    }

    @Override
    public CompletionStage<OwnershipView> ownership(String vm) {
        boolean unknown = vm.equals("nope"); // for the ledger, that is not an error
        return done(() -> new OwnershipView(
                vm,
                unknown ? Optional.empty() : Optional.of("host-1"),
                unknown ? 0 : 1,
                Optional.empty(),
                Optional.empty()));
    }

    private static <T> CompletionStage<T> done(Supplier<T> answer) {
        // as the real one: failures come in the stage, wrapped
        return CompletableFuture.supplyAsync(answer, Runnable::run);
    }
}
