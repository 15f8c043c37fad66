package io.godwit.cli;

import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Waits for work that a coordinator does, by asking again and again. */
final class Wait {
    private final Shell shell;

    Wait(Shell shell) {
        this.shell = shell;
    }

    /**
     * Asks until {@code done}. A coordinator that does not answer for a while (a restart, a failover) does not end the
     * wait: the work is durable and goes on without anyone who watches.
     *
     * @param work what goes on when the wait is cut off, for the message
     * @throws CliFailure as {@code ask}, and 3 when no coordinator has answered for the grace period
     */
    <T> T until(String work, Supplier<T> ask, Predicate<T> done, Consumer<T> each) {
        Surroundings around = shell.surroundings();
        try (var _ = around.interrupts().onInterrupt(() -> shell.say("godwit: interrupted; " + work + " goes on"))) {
            long answeredAt = around.clock().nanoTime();
            while (true) {
                try {
                    T view = ask.get();
                    answeredAt = around.clock().nanoTime();
                    each.accept(view);
                    if (done.test(view)) {
                        return view;
                    }
                } catch (CliFailure e) {
                    long silence = around.clock().nanoTime() - answeredAt;
                    if (e.exitCode() != ExitCode.UNREACHABLE
                            || silence > around.settings().unreachableGrace().toNanos()) {
                        throw e;
                    }
                }
                around.pause().of(around.settings().pollInterval());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw CliFailure.interrupted("interrupted; " + work + " goes on");
        }
    }
}
