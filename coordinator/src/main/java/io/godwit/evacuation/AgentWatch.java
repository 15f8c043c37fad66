package io.godwit.evacuation;

import io.godwit.proto.host.HostCommand;
import java.util.Optional;
import java.util.Set;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What the receptionist says of one host's agent.
 *
 * @param agent where to send commands, if it is listed
 * @param seen whether it was ever listed since this migration was recovered
 */
record AgentWatch(Optional<ActorRef<HostCommand>> agent, boolean seen) {
    static final AgentWatch UNSEEN = new AgentWatch(Optional.empty(), false);

    /**
     * With the agent's new listing. Of several, which a restart of an agent can leave for a moment, any will do: commands
     * are repeated.
     */
    AgentWatch listed(Set<ActorRef<HostCommand>> instances) {
        Optional<ActorRef<HostCommand>> any = instances.stream().findAny();
        return new AgentWatch(any, seen || any.isPresent());
    }
}
