package io.godwit.evacuation;

import io.godwit.plan.Planner;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.Function;
import org.apache.pekko.actor.typed.RecipientRef;

/**
 * Whom and what an evacuation uses.
 *
 * @param fleet FleetView
 * @param ledgers the ledger of a VM
 * @param migrations a migration by id
 * @param planner finds places
 * @param planning where it does so: never in an actor's thread, for a large fleet takes it seconds
 * @param wall tells the time shown to operators; nothing is decided by it
 */
public record EvacuationPorts(
        RecipientRef<FleetCommand> fleet,
        Function<String, RecipientRef<OwnershipCommand>> ledgers,
        Function<String, RecipientRef<MigrationMessage>> migrations,
        Planner planner,
        Executor planning,
        InstantSource wall) {}
