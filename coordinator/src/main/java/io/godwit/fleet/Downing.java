package io.godwit.fleet;

import io.godwit.proto.Names;
import io.godwit.proto.cluster.Quorum;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Decides on a coordinator who is gone. Pekko's split brain resolver is no help: it leaves the decision to the leader, which
 * is whichever node has the lowest address, most often a host; and a host that decides finds itself without coordinators
 * and downs itself. So coordinators decide, hosts decide nothing:
 *
 * <ul>
 *   <li>A coordinator that sees a majority of the coordinators marks down whoever is unreachable for long enough.
 *   <li>A coordinator that does not see one for as long marks itself down: its shards and singletons end before long, and
 *       its process starts anew. It touches nobody else.
 * </ul>
 *
 * A wrong verdict costs a host its place in the cluster for a moment, and an outage of one side, never a second running VM:
 * epochs and the journal decide that.
 */
final class Downing {
    private static final String ALONE = "alone";

    private sealed interface Command {}

    private record Lost(Member member) implements Command {}

    private record Seen(Address address) implements Command {}

    private record Other() implements Command {}

    private record Overdue(Member member) implements Command {}

    private record Alone() implements Command {}

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final Cluster cluster;
    private final Limits limits;

    /**
     * What it decides by.
     *
     * @param coordinators how many there should be
     * @param hostAfter how long a host may be unreachable, from the moment the failure detector suspects it
     * @param coordinatorAfter how long a coordinator may be, and how long a majority may be missing
     */
    record Limits(int coordinators, Duration hostAfter, Duration coordinatorAfter) {}

    private Downing(ActorContext<Command> context, TimerScheduler<Command> timers, Limits limits) {
        this.context = context;
        this.timers = timers;
        this.cluster = Cluster.get(context.getSystem());
        this.limits = limits;
    }

    /** Runs on every coordinator. */
    static Behavior<Void> create(Limits limits) {
        return Behaviors.<Command>setup(
                        context -> Behaviors.withTimers(timers -> new Downing(context, timers, limits).watching()))
                .unsafeCast();
    }

    private Behavior<Command> watching() {
        cluster.subscriptions()
                .tell(Subscribe.create(
                        context.messageAdapter(ClusterEvent.UnreachableMember.class, event -> new Lost(event.member())),
                        ClusterEvent.UnreachableMember.class));
        cluster.subscriptions()
                .tell(Subscribe.create(
                        context.messageAdapter(
                                ClusterEvent.ReachableMember.class,
                                event -> new Seen(event.member().address())),
                        ClusterEvent.ReachableMember.class));
        // a new process at an old address is not the one that was lost
        cluster.subscriptions()
                .tell(Subscribe.create(
                        context.messageAdapter(ClusterEvent.MemberEvent.class, Downing::ofMember),
                        ClusterEvent.MemberEvent.class));
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Lost(var member) -> lost(member);
                case Seen(var address) -> timers.cancel(address);
                case Other() -> {}
                case Overdue(var member) -> overdue(member);
                case Alone() -> alone();
            }
            return Behaviors.same();
        });
    }

    private void lost(Member member) {
        boolean coordinator = member.hasRole(Names.COORDINATOR_ROLE);
        timers.startSingleTimer(
                member.address(), new Overdue(member), coordinator ? limits.coordinatorAfter() : limits.hostAfter());
        if (coordinator && !quorum()) {
            timers.startSingleTimer(ALONE, new Alone(), limits.coordinatorAfter());
        }
    }

    private void overdue(Member member) {
        if (!unreachable().contains(member.address())) {
            return;
        }
        if (quorum()) {
            context.getLog()
                    .warn("{} {} has been unreachable for too long: given up", member.getRoles(), member.address());
            cluster.manager().tell(new Down(member.address()));
        } else {
            // for whoever has a majority to decide, or for us when we have one again
            timers.startSingleTimer(member.address(), new Overdue(member), limits.coordinatorAfter());
            // when the last one was lost the cluster's state may not have shown it yet, and a majority with it
            if (!timers.isTimerActive(ALONE)) {
                timers.startSingleTimer(ALONE, new Alone(), limits.coordinatorAfter());
            }
        }
    }

    /** Before it is a full member it holds nothing that could do harm, and waits for the others to come. */
    private void alone() {
        MemberStatus own = cluster.selfMember().status();
        if (!quorum() && (own.equals(MemberStatus.up()) || own.equals(MemberStatus.leaving()))) {
            context.getLog()
                    .error(
                            "fewer than {} of {} coordinators in sight: this one stops deciding and starts anew",
                            Quorum.of(limits.coordinators()),
                            limits.coordinators());
            cluster.manager().tell(new Down(cluster.selfMember().address()));
        }
    }

    private boolean quorum() {
        return Quorum.present(cluster.state(), limits.coordinators());
    }

    private Set<Address> unreachable() {
        Set<Address> addresses = new HashSet<>();
        StreamSupport.stream(cluster.state().getUnreachable().spliterator(), false)
                .map(Member::address)
                .forEach(addresses::add);
        return addresses;
    }

    private static Command ofMember(ClusterEvent.MemberEvent event) {
        MemberStatus status = event.member().status();
        boolean another = status.equals(MemberStatus.joining())
                || status.equals(MemberStatus.weaklyUp())
                || status.equals(MemberStatus.up())
                || status.equals(MemberStatus.removed());
        return another ? new Seen(event.member().address()) : new Other();
    }
}
