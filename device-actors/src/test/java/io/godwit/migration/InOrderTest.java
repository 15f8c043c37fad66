package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class InOrderTest {
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final InOrder jobs = new InOrder(waiting::push);
    private final List<String> done = new ArrayList<>();

    private CompletableFuture<Boolean> job(String name) {
        return jobs.call(() -> done.add(name));
    }

    /** What an executor with a thread to spare may do: begin with what came last. */
    private void runTheLatestFirst() {
        while (!waiting.isEmpty()) {
            waiting.pop().run();
        }
    }

    @Test
    void runsJobsInTheOrderGivenWhateverTheExecutorPrefers() {
        List<CompletableFuture<Boolean>> given = new ArrayList<>(List.of(job("loaded"), job("running")));
        runTheLatestFirst();
        given.add(job("closed"));
        runTheLatestFirst();
        assertThat(given).allMatch(CompletableFuture::isDone);
        assertThat(done).containsExactly("loaded", "running", "closed");
    }

    @Test
    void goesOnAfterAJobThatFailed() {
        CompletableFuture<Boolean> failed = jobs.call(() -> {
            throw new IOException("connection reset");
        });
        CompletableFuture<Boolean> next = job("running");
        runTheLatestFirst();
        assertThatThrownBy(failed::join).hasRootCauseMessage("connection reset");
        assertThat(next).isCompletedWithValue(true);
        assertThat(done).containsExactly("running");
    }
}
