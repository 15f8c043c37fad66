package io.godwit.migration;

/**
 * What one switchover cost, by parts, as measured: what the next prediction for the same destination is made from.
 *
 * @param fixedMicros what no byte count explains: stopping, last sync, vCPU state, ledger, starting
 * @param handoffMicros from the word that asked for it to the order to stop
 * @param precopyBandwidth bytes per second measured while the VM ran; 0 when none was
 * @param ramBytes page bytes sent while it stood still
 * @param ramMicros time that took
 * @param deviceBytes device state sent while it stood still
 * @param deviceMicros time that took
 * @param memoryBytes RAM of the VM: what digests are made of
 * @param sourceDigestMicros the source's digest of it, beside the sending; 0 without verify
 * @param destinationDigestMicros the destination's; 0 without verify
 */
record Switchover(
        long fixedMicros,
        long handoffMicros,
        long precopyBandwidth,
        long ramBytes,
        long ramMicros,
        long deviceBytes,
        long deviceMicros,
        long memoryBytes,
        long sourceDigestMicros,
        long destinationDigestMicros) {
    /** Less than this, sent or read out in a fraction of a millisecond, says nothing of a rate. */
    static final long TELLING_BYTES = 1 << 20;

    /** Whether enough RAM was sent to tell how fast. */
    boolean tellsRam() {
        return ramBytes >= TELLING_BYTES && ramMicros > 0;
    }

    /** Whether enough device state was sent to tell how fast. */
    boolean tellsDevices() {
        return deviceBytes >= TELLING_BYTES && deviceMicros > 0;
    }

    /** The fixed part, with the time of whatever was too little to count by bytes. */
    long unexplainedMicros() {
        return fixedMicros + (tellsRam() ? 0 : ramMicros) + (tellsDevices() ? 0 : deviceMicros);
    }

    /**
     * Whether something broke in it, rather than that it took its time: its fixed part or its handoff took longer than {@code
     * fixedMaxMicros}, or its RAM did and went at less than a tenth of what the same link did just before.
     */
    boolean mishap(long fixedMaxMicros) {
        return unexplainedMicros() > fixedMaxMicros
                || handoffMicros > fixedMaxMicros
                || (tellsRam() && ramMicros > fixedMaxMicros && 10 * stoppedBandwidth() < precopyBandwidth);
    }

    /** Bytes per second of RAM while it stood still; only if it {@link #tellsRam}. */
    double stoppedBandwidth() {
        return ramBytes * 1e6 / ramMicros;
    }
}
