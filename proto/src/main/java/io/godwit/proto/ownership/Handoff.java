package io.godwit.proto.ownership;

import io.godwit.proto.WireMessage;

/**
 * An open handoff: the source may have stopped, the destination does not run yet.
 *
 * @param migration the migration it belongs to
 * @param from host that gives the VM up
 * @param to host that takes it
 * @param deadlineMs how long after its begin (or after the ledger's recovery) the ledger still accepts a commit
 */
public record Handoff(String migration, String from, String to, long deadlineMs) implements WireMessage {}
