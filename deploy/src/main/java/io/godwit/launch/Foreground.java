package io.godwit.launch;

import io.godwit.cli.CliFailure;
import io.godwit.cli.ExitCode;
import io.godwit.cli.Shell;
import io.godwit.cli.Surroundings;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
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

    /**
     * Finds out that a port is taken before anything is started, for a clean answer; whoever takes it between this and
     * the real bind is told of by that.
     *
     * @param option that named the port
     * @throws CliFailure when it is taken, or the address is not one of this machine
     */
    static void requireFree(String option, String address, int port) {
        if (port < 0 || port > 65535) {
            throw CliFailure.usage(option + " is " + port + "; expected 0 to 65535");
        }
        try (ServerSocket socket = new ServerSocket()) {
            // as the real listeners do: connections of an earlier process that linger do not count
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(address, port));
        } catch (IOException e) {
            throw CliFailure.failed("cannot listen on " + address + ":" + port + " (" + option + "): " + e.getMessage()
                    + "; expected a free port, or 0 for any");
        }
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
