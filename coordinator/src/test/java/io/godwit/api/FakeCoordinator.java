package io.godwit.api;

import io.godwit.convergence.Reports;
import io.godwit.fleet.Coordinator;
import io.godwit.fleet.CoordinatorException;
import io.godwit.fleet.Fenced;
import io.godwit.fleet.VmHistory;
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
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.HookSeen;
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
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

/**
 * A coordinator in memory: hosts host-1 and host-2, VM vm-a on host-1. Migrations end at once; what it was asked is
 * recorded.
 */
public final class FakeCoordinator implements Coordinator {
    /** Options of the last migration or evacuation that was started. */
    public final AtomicReference<MigrationOptions> lastOptions = new AtomicReference<>();

    public final AtomicBoolean lastMakeRoom = new AtomicBoolean();

    /** VMs by name. */
    public final Map<String, VmSpec> vms = new ConcurrentHashMap<>();

    /** How an evacuation ends: the state of vm-a and why. */
    public final AtomicReference<EvacuationView.VmRow> outcome = new AtomicReference<>(new EvacuationView.VmRow(
            "vm-a", "host-1", Optional.of("host-2"), "MOVED", List.of("m-1"), Optional.empty()));

    /** Highest downtime limit that is accepted. */
    private static final long BUDGET_MS = 1000;

    private final Map<String, Boolean> cordons = new ConcurrentHashMap<>();
    /** Migrations by id. */
    public final Map<String, MigrationView> migrations = new ConcurrentHashMap<>();

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
    public CompletionStage<Fenced> fence(String host) {
        return CompletableFuture.completedFuture(new Fenced(
                host,
                List.of(
                        new Fenced.Row("vm-a", "RESTARTED", "host-2"),
                        new Fenced.Row("vm-b", "LEFT", "fits nowhere"))));
    }

    @Override
    public CompletionStage<Void> cordon(String host, boolean cordoned) {
        cordons.put(host, cordoned);
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public CompletionStage<MigrationView> startMigration(String vm, Optional<String> to, MigrationOptions options) {
        lastOptions.set(options);
        boolean bad = vm.equals("vm-bad");
        MigrationView view = view(
                "m-" + (migrations.size() + 1),
                vm,
                to.orElse("host-2"),
                bad ? MigrationPhase.FAILED : vm.equals("vm-slow") ? MigrationPhase.PRE_COPY : MigrationPhase.COMPLETED,
                bad ? Optional.of("the link broke") : Optional.empty(),
                SaveLimits.NONE,
                bad
                        ? List.of(new ConvergenceStep(1000, "give-up", "the guest dirties 2 GiB/s", SaveLimits.NONE))
                        : List.of(),
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
    public CompletionStage<MigrationView> adjustMigration(
            String id, long downtimeLimitMs, long bandwidthBytesPerSecond) {
        return done(() -> {
            MigrationView was = Optional.ofNullable(migrations.get(id))
                    .orElseThrow(() -> new CoordinatorException.NotFound("migration", id));
            if (downtimeLimitMs > BUDGET_MS) {
                throw new CoordinatorException.Refused("migration " + id + ": over the blackout budget");
            }
            SaveLimits limits = new SaveLimits(
                    was.limits().revision() + 1,
                    downtimeLimitMs < 0 ? was.limits().downtimeLimitMs() : downtimeLimitMs,
                    BUDGET_MS,
                    bandwidthBytesPerSecond < 0 ? was.limits().bandwidthBytesPerSecond() : bandwidthBytesPerSecond,
                    0,
                    false);
            MigrationView now = view(
                    id,
                    was.vm(),
                    was.to(),
                    was.phase(),
                    was.reason(),
                    limits,
                    List.of(new ConvergenceStep(0, "set", "set by an operator", limits)),
                    was.progress());
            migrations.put(id, now);
            return now;
        });
    }

    @Override
    public CompletionStage<VmHistory> vmHistory(String vm) {
        List<DeviceLog> devices = List.of(new DeviceLog(
                "gpu0",
                "gpu/1",
                "STOP",
                List.of(
                        new HookSeen("SAVE_SETUP", List.of("RUNNING", "PRE_COPY"), 1, Optional.empty()),
                        new HookSeen("SAVE_LIVE_PENDING", List.of("PRE_COPY"), 7, Optional.of("it hung")))));
        return done(() -> {
            if (!vms.containsKey(vm)) {
                throw new CoordinatorException.NotFound("vm", vm);
            }
            return new VmHistory(
                    vm,
                    List.of(
                            new VmHistory.Owner(1_790_000_000_123L, Optional.of("host-1"), 1, "created"),
                            new VmHistory.Owner(1_790_000_060_000L, Optional.empty(), 1, "fenced off: it was off")),
                    List.of(new VmHistory.Move(climbed("m-7", vm), devices)),
                    Optional.of("host-2"),
                    List.of(),
                    Optional.of("host host-2 did not answer within 50000 ms"));
        });
    }

    /** A migration that pre-copies, has taken two steps of its ladder, and does not trust its prediction. */
    public static MigrationView climbed(String id, String vm) {
        SaveLimits limits = new SaveLimits(2, 300, 1000, 0, 30, false);
        return view(
                id,
                vm,
                "host-2",
                MigrationPhase.PRE_COPY,
                Optional.empty(),
                limits,
                List.of(
                        new ConvergenceStep(1000, "wait", "the guest dirties 2 GiB/s", SaveLimits.NONE),
                        new ConvergenceStep(11_000, "throttle:30%", "the guest dirties 1 GiB/s", limits)),
                Optional.of(Reports.report(3, 12_000, 812_000, limits, false)));
    }

    /** A migration of {@code vm} from host-1. */
    private static MigrationView view(
            String id,
            String vm,
            String to,
            MigrationPhase phase,
            Optional<String> reason,
            SaveLimits limits,
            List<ConvergenceStep> steps,
            Optional<Progress> progress) {
        return new MigrationView(
                id,
                vm,
                "host-1",
                to,
                "soft",
                phase,
                reason,
                false,
                2,
                List.of(),
                progress.map(Progress::stats).orElse(SaveStats.NONE),
                Downtime.NONE,
                true,
                progress.map(Progress::remainingBytes).orElse(0L),
                false,
                limits,
                steps,
                progress);
    }

    @Override
    public CompletionStage<EvacuationView> startEvacuation(
            List<String> hosts, MigrationOptions options, boolean makeRoom) {
        lastMakeRoom.set(makeRoom);
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
    public CompletionStage<Plan> planEvacuation(List<String> hosts, MigrationOptions options, boolean makeRoom) {
        lastMakeRoom.set(makeRoom);
        EvacuationView.VmRow row = outcome.get();
        return done(() -> new Plan(List.of(
                new Placement(row.vm(), row.from(), row.to(), row.reason(), Optional.empty(), row.makesRoomFor()))));
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
