package io.godwit.fleet;

import io.godwit.plan.Planner;
import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.lease.LeaseCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.RecipientRef;

/**
 * Whom and what the coordinator's service uses.
 *
 * @param system asks are sent from here
 * @param fleet FleetView
 * @param leases the lender of leases
 * @param ledgers the ledger of a VM
 * @param migrations a migration by id
 * @param evacuations an evacuation by id
 * @param persistenceIds every entity that has ever persisted something
 * @param ledgerEntries what the journal holds of a VM's ledger, oldest first
 * @param planner finds places
 * @param planning where it does so: never in an actor's thread
 * @param ids makes ids
 */
public record CoordinatorPorts(
        ActorSystem<?> system,
        RecipientRef<FleetCommand> fleet,
        RecipientRef<LeaseCommand> leases,
        Function<String, RecipientRef<OwnershipCommand>> ledgers,
        Function<String, RecipientRef<MigrationMessage>> migrations,
        Function<String, RecipientRef<EvacuationMessage>> evacuations,
        Supplier<CompletionStage<List<String>>> persistenceIds,
        Function<String, CompletionStage<List<LedgerEntry>>> ledgerEntries,
        Planner planner,
        Executor planning,
        IdSource ids) {}
