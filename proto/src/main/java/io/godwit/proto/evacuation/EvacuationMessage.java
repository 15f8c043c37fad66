package io.godwit.proto.evacuation;

import io.godwit.proto.WireMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationView;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;

/** All that {@code Evacuation[id]} receives from outside. */
public sealed interface EvacuationMessage extends WireMessage {
    /** The evacuation it is meant for; an entity refuses a foreign one. */
    String evacuation();

    /**
     * Empties {@code hosts}: cordons them, plans, and moves every VM. Repeated, it answers with where it stands.
     *
     * @param makeRoom whether VMs of other hosts may be moved where one of these fits nowhere otherwise
     */
    record StartEvacuation(
            String evacuation,
            List<String> hosts,
            MigrationOptions options,
            boolean makeRoom,
            ActorRef<EvacuationReply> replyTo)
            implements EvacuationMessage {
        public StartEvacuation {
            hosts = List.copyOf(hosts);
        }
    }

    /** Asks where it stands. */
    record ShowEvacuation(String evacuation, ActorRef<EvacuationReply> replyTo) implements EvacuationMessage {}

    /** One of its migrations has ended. */
    record MigrationEnded(String evacuation, MigrationView view) implements EvacuationMessage {}
}
