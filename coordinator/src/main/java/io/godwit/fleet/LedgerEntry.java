package io.godwit.fleet;

import io.godwit.ownership.OwnershipEvent;

/**
 * What the journal holds of a VM's ledger.
 *
 * @param atMs when it was written, milliseconds since 1970 UTC
 * @param event what was decided
 */
public record LedgerEntry(long atMs, OwnershipEvent event) {}
