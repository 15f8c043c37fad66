package io.godwit.evacuation;

import io.godwit.convergence.Climb;
import io.godwit.proto.KryoMessage;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.DeviceLog;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a migration has gathered on its way.
 *
 * @param climb limits in force and convergence steps taken
 * @param source triples that the source published
 * @param destination triples that the destination published
 * @param stats of the save path, as last reported durably
 * @param downtime NONE until the source has let go
 * @param verified whether both digests were compared and equal
 * @param sourceGone whether the source's agent died, and the guest with it; of a QEMU guest, that nothing more is to be
 *     expected of the source
 * @param destinationGone whether the destination's agent died, and its copy with it; a copy in a QEMU may still be there
 * @param devices what the devices at the source had seen when it let go; none before
 */
public record MigrationTrail(
        Climb climb,
        List<StateTriple> source,
        List<StateTriple> destination,
        SaveStats stats,
        Downtime downtime,
        boolean verified,
        boolean sourceGone,
        boolean destinationGone,
        List<DeviceLog> devices)
        implements KryoMessage {
    /** Nothing has happened; {@code limits} are those it begins with. */
    static MigrationTrail begin(SaveLimits limits) {
        return new MigrationTrail(
                Climb.from(limits),
                List.of(),
                List.of(),
                SaveStats.NONE,
                Downtime.NONE,
                false,
                false,
                false,
                List.of());
    }

    public MigrationTrail {
        source = List.copyOf(source);
        destination = List.copyOf(destination);
        devices = List.copyOf(devices);
    }

    MigrationTrail withClimb(Climb known) {
        return new MigrationTrail(
                known, source, destination, stats, downtime, verified, sourceGone, destinationGone, devices);
    }

    MigrationTrail withStats(SaveStats known) {
        return new MigrationTrail(
                climb, source, destination, known, downtime, verified, sourceGone, destinationGone, devices);
    }

    /** With {@code seen}, unless what is known already tells of more. */
    MigrationTrail withLatest(Optional<SaveStats> seen) {
        return seen.filter(late -> late.transferredBytes() > stats.transferredBytes())
                .map(this::withStats)
                .orElse(this);
    }

    MigrationTrail withDowntime(Downtime known) {
        return new MigrationTrail(
                climb, source, destination, stats, known, verified, sourceGone, destinationGone, devices);
    }

    MigrationTrail withVerified(boolean known) {
        return new MigrationTrail(
                climb, source, destination, stats, downtime, known, sourceGone, destinationGone, devices);
    }

    MigrationTrail withDevices(List<DeviceLog> known) {
        return new MigrationTrail(
                climb, source, destination, stats, downtime, verified, sourceGone, destinationGone, known);
    }

    MigrationTrail withoutSource() {
        return new MigrationTrail(
                climb, source, destination, stats, downtime, verified, true, destinationGone, devices);
    }

    MigrationTrail withoutDestination() {
        return new MigrationTrail(climb, source, destination, stats, downtime, verified, sourceGone, true, devices);
    }

    MigrationTrail plusSource(List<StateTriple> more) {
        return new MigrationTrail(
                climb,
                join(source, more),
                destination,
                stats,
                downtime,
                verified,
                sourceGone,
                destinationGone,
                devices);
    }

    MigrationTrail plusDestination(List<StateTriple> more) {
        return new MigrationTrail(
                climb,
                source,
                join(destination, more),
                stats,
                downtime,
                verified,
                sourceGone,
                destinationGone,
                devices);
    }

    /** Source's first. */
    List<StateTriple> states() {
        return join(source, destination);
    }

    private static List<StateTriple> join(List<StateTriple> first, List<StateTriple> second) {
        return Stream.concat(first.stream(), second.stream()).toList();
    }
}
