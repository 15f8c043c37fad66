package io.godwit.agent.transport;

import java.time.Duration;

/** Calls something later, injected so that a test owns time; in an agent, the actor system's scheduler. */
@FunctionalInterface
public interface Timer {
    /** Runs {@code action} once after {@code delay}, on any thread; running the result in time prevents that. */
    Runnable after(Duration delay, Runnable action);
}
