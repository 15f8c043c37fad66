package io.godwit.migration;

import java.util.function.Function;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.BehaviorInterceptor;
import org.apache.pekko.actor.typed.TypedActorContext;

/**
 * Ends a path in good order when its own code throws. An actor that just stops would leave a VM with its devices and dirty
 * logs half-way, and nobody to say so; supervision could start it anew, but not where it was.
 *
 * @param <C> what the actor is told
 */
final class Mishaps<C> extends BehaviorInterceptor<C, C> {
    private final Function<String, Behavior<C>> end;

    /** {@code end} takes over, told what has happened. */
    Mishaps(Class<C> commands, Function<String, Behavior<C>> end) {
        super(commands);
        this.end = end;
    }

    @Override
    public Behavior<C> aroundReceive(TypedActorContext<C> context, C command, ReceiveTarget<C> target) {
        try {
            return target.apply(context, command);
        } catch (RuntimeException mishap) {
            context.asJava().getLog().error("failed at {}", command.getClass().getSimpleName(), mishap);
            return end.apply("an internal error at " + command.getClass().getSimpleName() + ": " + mishap);
        }
    }
}
