package io.godwit.fleet;

import io.godwit.proto.Names;
import java.time.Duration;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Down;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Gives up a host that has been unreachable for long enough: marks its node down, so that the cluster removes it. Pekko's
 * split brain resolver is no help to a single coordinator: it leaves the decision to the leader, which is whichever node
 * has the lowest address, most often a host; and a host that decides finds itself without a coordinator and downs
 * itself, its guests included. So coordinators decide, about hosts only, and hosts decide nothing. A wrong verdict costs a
 * host its place in the cluster, never a second running VM, because epochs decide that.
 */
final class HostDowning {
    private sealed interface Command {}

    private record Lost(Address host) implements Command {}

    private record Seen(Address host) implements Command {}

    private record Other() implements Command {}

    private record Overdue(Address host) implements Command {}

    private HostDowning() {}

    /** Runs on a coordinator; {@code downAfter} counts from the moment the failure detector suspects a host. */
    static Behavior<Void> create(Duration downAfter) {
        return Behaviors.<Command>setup(context -> Behaviors.withTimers(timers -> {
                    Cluster cluster = Cluster.get(context.getSystem());
                    cluster.subscriptions()
                            .tell(Subscribe.create(
                                    context.messageAdapter(
                                            ClusterEvent.UnreachableMember.class,
                                            event -> event.member().hasRole(Names.HOST_ROLE)
                                                    ? new Lost(event.member().address())
                                                    : new Other()),
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
                                    context.messageAdapter(ClusterEvent.MemberEvent.class, HostDowning::ofMember),
                                    ClusterEvent.MemberEvent.class));
                    return Behaviors.receiveMessage(command -> {
                        switch (command) {
                            case Lost(var host) -> timers.startSingleTimer(host, new Overdue(host), downAfter);
                            case Seen(var host) -> timers.cancel(host);
                            case Other() -> {}
                            case Overdue(var host) -> {
                                context.getLog()
                                        .warn("host at {} unreachable for {} ms: given up", host, downAfter.toMillis());
                                cluster.manager().tell(new Down(host));
                            }
                        }
                        return Behaviors.same();
                    });
                }))
                .unsafeCast();
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
