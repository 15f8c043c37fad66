package io.godwit.migration;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;

/** Runs blocking work off the actors' threads. */
public final class DataPlane {
    private DataPlane() {}

    /** Runs {@code job} on {@code executor}; the stage fails with whatever the job throws. */
    public static <T> CompletableFuture<T> call(Callable<T> job, Executor executor) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return job.call();
                    } catch (Exception e) {
                        throw new CompletionException(e);
                    }
                },
                executor);
    }

    /** The reason in one line, for a person. */
    public static String reason(Throwable thrown) {
        Throwable cause =
                thrown instanceof CompletionException && thrown.getCause() != null ? thrown.getCause() : thrown;
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }
}
