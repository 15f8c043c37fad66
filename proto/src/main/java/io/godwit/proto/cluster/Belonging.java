package io.godwit.proto.cluster;

import java.time.Duration;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.eventstream.EventStream;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.SelfRemoved;
import org.apache.pekko.cluster.typed.SelfUp;
import org.apache.pekko.cluster.typed.Subscribe;
import org.apache.pekko.remote.artery.ThisActorSystemQuarantinedEvent;

/**
 * Ends the actor system of a node that does not belong to the cluster (any more): removed, refused by the others because
 * they have removed it while it was out of sight, or not let in for long. A node that has once been removed never comes back
 * as what it was; whoever started the system starts another one in the same process.
 */
public final class Belonging {
    private sealed interface Command {}

    private record In() implements Command {}

    private record Out(String why) implements Command {}

    private Belonging() {}

    /**
     * Watches this node.
     *
     * @param joinWithin how long the node may take to become a full member
     */
    public static Behavior<Void> create(Duration joinWithin) {
        return Behaviors.<Command>setup(context -> Behaviors.withTimers(timers -> {
                    watch(context);
                    timers.startSingleTimer(
                            new Out("not let into the cluster within " + joinWithin.toMillis() + " ms"), joinWithin);
                    return Behaviors.receiveMessage(command -> {
                        switch (command) {
                            case In() -> timers.cancelAll();
                            case Out(var why) -> {
                                context.getLog().warn("this node leaves its actor system: {}", why);
                                context.getSystem().terminate();
                            }
                        }
                        return Behaviors.same();
                    });
                }))
                .unsafeCast();
    }

    private static void watch(ActorContext<Command> context) {
        Cluster cluster = Cluster.get(context.getSystem());
        cluster.subscriptions()
                .tell(Subscribe.create(context.messageAdapter(SelfUp.class, _ -> new In()), SelfUp.class));
        cluster.subscriptions()
                .tell(Subscribe.create(
                        context.messageAdapter(SelfRemoved.class, _ -> new Out("removed from the cluster")),
                        SelfRemoved.class));
        context.getSystem()
                .eventStream()
                .tell(new EventStream.Subscribe<>(
                        ThisActorSystemQuarantinedEvent.class,
                        context.messageAdapter(
                                ThisActorSystemQuarantinedEvent.class,
                                event -> new Out("refused by " + event.remoteAddress()
                                        + ", which had given it up while it was out of sight"))));
    }
}
