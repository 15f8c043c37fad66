package io.godwit.evacuation;

import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import java.util.function.Function;
import org.apache.pekko.actor.typed.RecipientRef;

/**
 * Whom a migration talks to besides the hosts, which it finds through the receptionist.
 *
 * @param ledgers the ledger of a VM
 * @param evacuations an evacuation by id
 */
public record MigrationPorts(
        Function<String, RecipientRef<OwnershipCommand>> ledgers,
        Function<String, RecipientRef<EvacuationMessage>> evacuations) {}
