package io.godwit.cli;

import io.godwit.proto.MonotonicClock;
import java.io.PrintStream;
import java.time.Duration;

/**
 * What the commands find around them, injected so that a test owns it.
 *
 * @param out results, and nothing else
 * @param err errors and progress
 * @param interactive whether a person looks at a terminal
 * @param settings limits and intervals
 * @param clock elapsed time
 * @param pause lets time pass
 * @param interrupts tells when the process is asked to end
 */
public record Surroundings(
        PrintStream out,
        PrintStream err,
        boolean interactive,
        CliSettings settings,
        MonotonicClock clock,
        Pause pause,
        Interrupts interrupts) {
    /** Lets time pass. */
    @FunctionalInterface
    public interface Pause {
        /** Returns after {@code time}. */
        void of(Duration time) throws InterruptedException;
    }

    /** The end of the process by Ctrl-C or a signal. */
    @FunctionalInterface
    public interface Interrupts {
        /** Runs {@code action} when the process is asked to end, until the result is closed. */
        Registration onInterrupt(Runnable action);

        /** Ends a registration. */
        @FunctionalInterface
        interface Registration extends AutoCloseable {
            @Override
            void close();
        }
    }
}
