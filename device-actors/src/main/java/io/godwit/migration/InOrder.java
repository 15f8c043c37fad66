package io.godwit.migration;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** Runs blocking jobs on an executor of many threads, each after the one given before it, failed or not. For one caller. */
final class InOrder {
    private final Executor executor;
    private CompletableFuture<?> last = CompletableFuture.completedFuture(null);

    InOrder(Executor executor) {
        this.executor = executor;
    }

    /** As {@link DataPlane#call}, in its turn. */
    <T> CompletableFuture<T> call(Callable<T> job) {
        CompletableFuture<?> before = last;
        CompletableFuture<T> next = before.handle((_, _) -> true).thenCompose(_ -> DataPlane.call(job, executor));
        last = next;
        return next;
    }
}
