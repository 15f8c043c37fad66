package io.godwit.launch;

import io.godwit.cli.ExitCode;
import io.godwit.cli.Shell;
import io.godwit.cli.Surroundings;
import java.io.IOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;

/** Keeps a long-running process in the foreground until it ends by itself or is asked to. */
final class Foreground {
    private final Shell shell;
    private final boolean dieWithParent;

    /**
     * For one process.
     *
     * @param dieWithParent whether it ends when its standard input does: whoever started it holds the other end
     */
    Foreground(Shell shell, boolean dieWithParent) {
        this.shell = shell;
        this.dieWithParent = dieWithParent;
    }

    /**
     * Says that the process is ready and waits.
     *
     * @param ready the line
     * @param ended completes when the process has ended by itself
     * @param stop stops it; returns when it has
     */
    int run(String ready, CompletionStage<?> ended, Runnable stop) throws InterruptedException {
        CountDownLatch over = new CountDownLatch(1);
        Surroundings around = shell.surroundings();
        try (var _ = around.interrupts().onInterrupt(stop)) {
            around.out().println(ready);
            ended.whenComplete((_, _) -> over.countDown());
            if (dieWithParent) {
                Thread.ofPlatform().daemon().name("parent-watch").start(() -> watchParent(over));
            }
            over.await();
        }
        stop.run();
        return ExitCode.OK;
    }

    private static void watchParent(CountDownLatch over) {
        try {
            // nothing is ever written: the read returns when the other end closes, by will or by death
            while (System.in.read() >= 0) {}
        } catch (IOException e) {
            // as good as its end
        }
        over.countDown();
    }

    /** The innermost message of a failure to start: there stands which address was taken. */
    static String reason(Throwable failure) {
        Throwable cause = failure;
        String message = String.valueOf(failure.getMessage());
        for (@Nullable Throwable next = cause; next != null; next = next.getCause()) {
            if (next.getMessage() != null && !(next instanceof CompletionException)) {
                message = next.getMessage();
            }
        }
        return message;
    }
}
