package io.godwit.proto;

import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import org.apache.pekko.actor.typed.receptionist.ServiceKey;
import org.apache.pekko.cluster.sharding.typed.javadsl.EntityTypeKey;

/** The names under which the processes of a cluster find each other. */
public final class Names {
    /** Name of every node's actor system: nodes of other names are not let in. */
    public static final String SYSTEM = "godwit";

    /** Cluster role of a coordinator: only these hold shards and singletons, and vote. */
    public static final String COORDINATOR_ROLE = "coordinator";

    /** Cluster role of a host agent. */
    public static final String HOST_ROLE = "host";

    /** Name of the FleetView singleton. */
    public static final String FLEET_VIEW = "fleet-view";

    /** Name of the singleton that lends leases. */
    public static final String LEASES = "leases";

    /** {@code Migration[id]}. */
    public static final EntityTypeKey<MigrationMessage> MIGRATION =
            EntityTypeKey.create(MigrationMessage.class, "Migration");

    /** {@code Ownership[vm]}. */
    public static final EntityTypeKey<OwnershipCommand> OWNERSHIP =
            EntityTypeKey.create(OwnershipCommand.class, "Ownership");

    /** {@code Evacuation[id]}. */
    public static final EntityTypeKey<EvacuationMessage> EVACUATION =
            EntityTypeKey.create(EvacuationMessage.class, "Evacuation");

    private Names() {}

    /** Where the receptionist lists the agent of {@code host}. */
    public static ServiceKey<HostCommand> agentOf(String host) {
        return ServiceKey.create(HostCommand.class, "host-agent/" + host);
    }
}
