package io.godwit.migration;

import io.godwit.proto.estimate.Sending;

/**
 * A standstill as it is predicted, and what it is made of.
 *
 * @param leftBytes RAM left at the stop that is not known to be dirty in any case
 * @param pinnedBytes pages that are dirty at the stop in any case
 * @param deviceBytes device state that can go only then
 * @param bandwidth bytes per second at which RAM goes while the VM stands still; 0 when unknown
 * @param ramMicros sending RAM
 * @param deviceMicros sending device state
 * @param digestMicros digests of both sides, as far as they are in the way; 0 without verify
 * @param fixedMicros what no byte count explains: stopping, the last sync, the ledger, starting
 * @param handoffMicros from the word to switch over to the stop: no part of the standstill, the VM runs meanwhile
 */
record Prediction(
        long leftBytes,
        long pinnedBytes,
        long deviceBytes,
        long bandwidth,
        long ramMicros,
        long deviceMicros,
        long digestMicros,
        long fixedMicros,
        long handoffMicros) {
    /** The whole standstill, in microseconds. */
    long totalMicros() {
        return ramMicros + deviceMicros + digestMicros + fixedMicros;
    }

    /** Whether it is one: not so while bytes are left and no bandwidth is known. */
    boolean known() {
        return totalMicros() < Sending.NEVER_MICROS;
    }
}
