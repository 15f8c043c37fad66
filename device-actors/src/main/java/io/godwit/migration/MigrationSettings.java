package io.godwit.migration;

import com.typesafe.config.Config;
import java.time.Duration;

/**
 * The limits of save and resume paths, from {@code godwit.migration}; each is explained in {@code reference.conf}.
 *
 * @param tick how often dirty pages are synced
 * @param precopyTimeout how long pre-copy may go on without reaching the downtime limit, unless the migration says
 * @param stallTimeout how long nothing may go out while something is pending
 * @param bandwidthWindow sending time over which the bandwidth is smoothed
 * @param bandwidthSettled sending time after which it is good enough to give up by
 * @param bandwidthProbe how long an unknown destination's link is measured without the bandwidth limit; zero for not at all
 * @param handoffDelay time from the word that asks for the switchover to the stop, until it has been learnt
 * @param roundGain no further round of pre-copy is taken to shorten the standstill by less
 * @param stepTimeout how long a single step (connect, a hook, the destination's answer) may take
 * @param deviceThresholdBytes a device is iterated while it has at least this much pending
 * @param deviceIterateBytesMax most device bytes per tick
 * @param fixedDowntime part of a standstill that no byte count explains
 * @param learntFixedMax a switchover whose parts that no byte count explains took longer is not learnt from
 * @param digestBytesPerSecond how fast RAM is digested when verifying
 * @param ledgerPoll how often a VM that waits for the ledger's word asks for it
 * @param statesMax most state triples kept
 */
public record MigrationSettings(
        Duration tick,
        Duration precopyTimeout,
        Duration stallTimeout,
        Duration bandwidthWindow,
        Duration bandwidthSettled,
        Duration bandwidthProbe,
        Duration handoffDelay,
        Duration roundGain,
        Duration stepTimeout,
        long deviceThresholdBytes,
        long deviceIterateBytesMax,
        Duration fixedDowntime,
        Duration learntFixedMax,
        long digestBytesPerSecond,
        Duration ledgerPoll,
        int statesMax) {

    /** Reads {@code godwit.migration} of an actor system's configuration. */
    public static MigrationSettings from(Config root) {
        Config config = root.getConfig("godwit.migration");
        return new MigrationSettings(
                config.getDuration("tick"),
                config.getDuration("precopy-timeout"),
                config.getDuration("stall-timeout"),
                config.getDuration("bandwidth-window"),
                config.getDuration("bandwidth-settled"),
                config.getDuration("bandwidth-probe"),
                config.getDuration("handoff-delay"),
                config.getDuration("round-gain"),
                config.getDuration("step-timeout"),
                config.getBytes("device-threshold"),
                config.getBytes("device-iterate-max"),
                config.getDuration("fixed-downtime"),
                config.getDuration("learnt-fixed-max"),
                config.getBytes("digest-rate"),
                config.getDuration("ledger-poll"),
                config.getInt("states-max"));
    }
}
