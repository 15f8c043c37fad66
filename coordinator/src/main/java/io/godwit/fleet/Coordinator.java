package io.godwit.fleet;

import io.godwit.plan.Plan;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * All that an operator's interface may ask of the coordinator. Every stage completes with what was asked for, or fails
 * with a {@link CoordinatorException} (never wrapped when it is thrown here; a dependent stage wraps it in a
 * CompletionException as usual). May be called from any thread; nothing blocks.
 */
public interface Coordinator {
    /** Every host and VM, sorted by name. */
    CompletionStage<FleetShown> fleet();

    /**
     * Creates a VM and runs it; completes when it runs.
     *
     * @param host where; empty for the first host that fits
     * @throws CoordinatorException (as failure) Refused: the spec is wrong, the name is taken, no host fits
     */
    CompletionStage<VmStatus> createVm(VmSpec spec, Optional<String> host);

    /** Stops and destroys a VM. NotFound without one; Refused while a migration of it runs. */
    CompletionStage<Void> destroyVm(String vm);

    /** Keeps new VMs off {@code host}, or lets them on again; durable when it completes. */
    CompletionStage<Void> cordon(String host, boolean cordoned);

    /**
     * Restarts the VMs of {@code host} from their specs on other hosts. For a host that is known to be off, and whose agent
     * the cluster has given up: a VM that still ran there would run twice. NotFound; Refused unless the host is DOWN.
     */
    CompletionStage<Fenced> fence(String host);

    /**
     * Starts a migration; completes when it is durable, with its first view.
     *
     * @param to destination; empty for the first host that fits
     * @throws CoordinatorException (as failure) Refused: the VM cannot be moved, there, or by this convergence policy
     */
    CompletionStage<MigrationView> startMigration(String vm, Optional<String> to, MigrationOptions options);

    /** One migration. NotFound without one. */
    CompletionStage<MigrationView> migration(String id);

    /** Every migration ever started, ended ones included, sorted by id (ids grow with time). */
    CompletionStage<List<MigrationView>> migrations();

    /** Asks a migration to roll back; completes with its view. Refused once the handoff is committed or it has ended. */
    CompletionStage<MigrationView> cancelMigration(String id, String reason);

    /**
     * Changes limits of a migration while it pre-copies; durable when it completes, with its view. Refused once its handoff
     * has begun or it has ended, and over the VM's blackout budget.
     *
     * @param downtimeLimitMs -1 to leave it as it is
     * @param bandwidthBytesPerSecond 0 for no limit, -1 to leave it as it is
     */
    CompletionStage<MigrationView> adjustMigration(String id, long downtimeLimitMs, long bandwidthBytesPerSecond);

    /**
     * Starts emptying {@code hosts}; completes when it is durable, with its first view. Refused for an unknown host or
     * convergence policy.
     *
     * @param makeRoom whether VMs of other hosts may be moved where one of these fits nowhere otherwise
     */
    CompletionStage<EvacuationView> startEvacuation(List<String> hosts, MigrationOptions options, boolean makeRoom);

    /** The same; VMs of other hosts make room where they must. */
    default CompletionStage<EvacuationView> startEvacuation(List<String> hosts, MigrationOptions options) {
        return startEvacuation(hosts, options, true);
    }

    /** One evacuation. NotFound without one. */
    CompletionStage<EvacuationView> evacuation(String id);

    /** Every evacuation ever started, sorted by id. */
    CompletionStage<List<EvacuationView>> evacuations();

    /** What an evacuation of {@code hosts} would do now; changes nothing. Refused as its start would be. */
    CompletionStage<Plan> planEvacuation(List<String> hosts, MigrationOptions options, boolean makeRoom);

    /** The same; VMs of other hosts make room where they must. */
    default CompletionStage<Plan> planEvacuation(List<String> hosts, MigrationOptions options) {
        return planEvacuation(hosts, options, true);
    }

    /** Lets the host check the guest's own rule. */
    CompletionStage<GuestCheck> checkVm(String vm);

    /** What the devices of a VM saw: now, and in its past migrations. NotFound for a VM that there is no trace of. */
    CompletionStage<VmHistory> vmHistory(String vm);

    /** What the ledger says of a VM; a VM never claimed has epoch 0 and no host. */
    CompletionStage<OwnershipView> ownership(String vm);
}
