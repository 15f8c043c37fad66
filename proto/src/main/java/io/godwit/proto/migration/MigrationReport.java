package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.vm.DeviceLog;
import java.util.List;

/** What the hosts of a migration report to {@code Migration[id]}. */
public sealed interface MigrationReport extends MigrationMessage, WireMessage {
    /** The host that reports. */
    String host();

    /** The destination is ready to receive at {@code endpoint}. */
    record IncomingReady(String migration, String host, DataEndpoint endpoint) implements MigrationReport {}

    /** The destination could not prepare, or could not receive or load, and has destroyed its copy. */
    record IncomingFailed(String migration, String host, String reason) implements MigrationReport {}

    /** The source has connected and set up its devices: pre-copy runs. */
    record SaveStarted(String migration, String host) implements MigrationReport {}

    /** The source predicts a downtime within the limit and asks for the handoff. */
    record ReadyToSwitchOver(String migration, String host, SaveStats stats) implements MigrationReport {}

    /**
     * The source could not go on. {@code surrendered}: its vCPUs stand still and it needs a grant; otherwise the VM runs
     * there as if nothing had been.
     */
    record SaveFailed(
            String migration,
            String host,
            String reason,
            boolean cancelled,
            boolean surrendered,
            List<StateTriple> states)
            implements MigrationReport {
        public SaveFailed {
            states = List.copyOf(states);
        }
    }

    /** The destination has loaded and checked everything and stands still. */
    record IncomingLoaded(String migration, String host, long epoch, boolean verified) implements MigrationReport {}

    /**
     * The VM runs on {@code host} under {@code epoch}. {@code states}: triples of the resume path, or of the roll-back. {@code
     * standingMicros}: how long it stood there with all of it loaded, on that host's clock; -1 when that is not known, as of
     * native guests, whose source sees it by itself.
     */
    record VmRunning(String migration, String host, long epoch, List<StateTriple> states, long standingMicros)
            implements MigrationReport {
        public VmRunning {
            states = List.copyOf(states);
        }

        /** It is not known how long it stood there. */
        public VmRunning(String migration, String host, long epoch, List<StateTriple> states) {
            this(migration, host, epoch, states, -1);
        }
    }

    /** The source has destroyed its copy. {@code devices}: what its devices saw. */
    record SourceReleased(
            String migration,
            String host,
            SaveStats stats,
            Downtime downtime,
            List<StateTriple> states,
            List<DeviceLog> devices)
            implements MigrationReport {
        public SourceReleased {
            devices = List.copyOf(devices);
            states = List.copyOf(states);
        }
    }

    /** The destination has no copy of the VM (any more). */
    record IncomingDiscarded(String migration, String host) implements MigrationReport {}

    /** A command was not accepted: a stale epoch, or a state that does not allow it. */
    record CommandRefused(String migration, String host, String command, String reason, long epoch)
            implements MigrationReport {}
}
