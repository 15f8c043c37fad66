package io.godwit.fleet;

import io.godwit.proto.MonotonicClock;
import io.godwit.proto.Names;
import io.godwit.proto.cluster.Quorum;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.remote.FailureDetectorRegistry;

/**
 * Decides on a coordinator who is gone. Pekko's split brain resolver is no help: it leaves the decision to the leader, which
 * is whichever node has the lowest address, most often a host; and a host that decides finds itself without coordinators
 * and downs itself. So coordinators decide, hosts decide nothing:
 *
 * <ul>
 *   <li>A coordinator that sees a majority of the coordinators marks down whoever is out of its sight for long enough.
 *   <li>A coordinator that does not see one for as long marks itself down: its shards and singletons end before long, and
 *       its process starts anew. It touches nobody else.
 * </ul>
 *
 * Each goes by its own failure detector ({@link Sight}), and coordinators watch all nodes for that
 * ({@code monitored-by-nr-of-members}).
 *
 * A wrong verdict costs a host its place in the cluster for a moment, and an outage of one side, never a second running VM:
 * epochs and the journal decide that.
 */
final class Downing {
    private record Look() {}

    private final ActorContext<Look> context;
    private final Cluster cluster;
    private final FailureDetectorRegistry<Address> heartbeats;
    private final int coordinators;
    private final Sight sight;
    private final MonotonicClock clock;

    private Downing(ActorContext<Look> context, Sight.Limits limits, MonotonicClock clock) {
        this.context = context;
        this.cluster = Cluster.get(context.getSystem());
        this.heartbeats = org.apache.pekko.cluster.Cluster.get(Adapter.toClassic(context.getSystem()))
                .failureDetector();
        this.coordinators = limits.coordinators();
        this.sight = new Sight(limits);
        this.clock = clock;
    }

    /**
     * Runs on every coordinator.
     *
     * @param interval between two looks at the heartbeats
     */
    static Behavior<Void> create(Sight.Limits limits, Duration interval, MonotonicClock clock) {
        return Behaviors.<Look>setup(context -> Behaviors.withTimers(timers -> {
                    timers.startTimerWithFixedDelay(new Look(), interval);
                    Downing downing = new Downing(context, limits, clock);
                    return Behaviors.receiveMessage(_ -> {
                        downing.look();
                        return Behaviors.same();
                    });
                }))
                .unsafeCast();
    }

    private void look() {
        Map<String, Member> members = new HashMap<>();
        List<Sight.Other> others = new ArrayList<>();
        for (Member member : cluster.state().getMembers()) {
            if (member.uniqueAddress().equals(cluster.selfMember().uniqueAddress())
                    || member.status().equals(MemberStatus.down())
                    || member.status().equals(MemberStatus.removed())) {
                continue;
            }
            String id = member.uniqueAddress().toString();
            members.put(id, member);
            boolean coordinator = member.hasRole(Names.COORDINATOR_ROLE);
            others.add(new Sight.Other(
                    id,
                    coordinator,
                    coordinator && !member.status().equals(MemberStatus.exiting()),
                    heartbeats.isAvailable(member.address())));
        }
        Sight.Verdict verdict = sight.look(others, clock.nanoTime());
        for (String id : verdict.givenUp()) {
            Member member = members.get(id);
            if (member != null) {
                context.getLog()
                        .warn("{} {} has been unreachable for too long: given up", member.getRoles(), member.address());
                cluster.manager().tell(new Down(member.address()));
            }
        }
        if (verdict.alone()) {
            alone();
        }
    }

    /** Before it is a full member it holds nothing that could do harm, and waits for the others to come. */
    private void alone() {
        MemberStatus own = cluster.selfMember().status();
        if (own.equals(MemberStatus.up()) || own.equals(MemberStatus.leaving())) {
            context.getLog()
                    .error(
                            "fewer than {} of {} coordinators in sight: this one stops deciding and starts anew",
                            Quorum.of(coordinators),
                            coordinators);
            cluster.manager().tell(new Down(cluster.selfMember().address()));
        }
    }
}
