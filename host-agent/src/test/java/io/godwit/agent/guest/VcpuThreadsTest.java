package io.godwit.agent.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The test owns the clock: a vCPU that is held back stays so until the test lets time pass. */
class VcpuThreadsTest {
    private static final long MS = 1_000_000;

    private final AtomicLong now = new AtomicLong();
    private final AtomicLong batches = new AtomicLong();
    private final AtomicBoolean permitted = new AtomicBoolean(true);
    private final AtomicLong ran = new AtomicLong();
    private final List<Thread> made = new CopyOnWriteArrayList<>();
    private final VcpuThreads threads = new VcpuThreads(
            new VmSpec("vm-1", "soft", 4 << 20, 1, new WorkloadSpec(4096, 0, false), List.of(), 300),
            List.of(new Counter()),
            GuestSettings.from(ConfigFactory.load()),
            now::get,
            body -> {
                Thread thread = Thread.ofPlatform().daemon().unstarted(body);
                made.add(thread);
                return thread;
            },
            new RunPermit() {
                @Override
                public boolean mayRun() {
                    return permitted.get();
                }

                @Override
                public void ran() {
                    ran.incrementAndGet();
                }
            });

    private final class Counter implements VcpuEngine {
        @Override
        public void batch(int pages) {
            batches.incrementAndGet();
        }

        @Override
        public void settle() {}
    }

    @AfterEach
    void end() {
        threads.end();
    }

    private void heldBack() throws Exception {
        threads.run();
        awaitWork();
        threads.throttle(99);
        // time enough for it to owe 99 times as much, whether it has seen the new share before or not
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            now.addAndGet(MS);
            return made.getFirst().getState() == Thread.State.TIMED_WAITING;
        });
    }

    private void awaitWork() {
        long before = batches.get();
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> batches.get() > before);
    }

    @Test
    void aPauseDoesNotWaitForAVcpuThatIsHeldBack() throws Exception {
        heldBack();
        long worked = batches.get();
        threads.pause();
        threads.requirePaused("look");
        assertThat(batches.get()).as("and it has not worked before it stood").isEqualTo(worked);
    }

    @Test
    void anotherShareWakesAVcpuThatIsHeldBack() throws Exception {
        heldBack();
        threads.throttle(0);
        awaitWork();
    }

    @Test
    void worksOnOnceItsTimeHasPassed() throws Exception {
        heldBack();
        now.addAndGet(1000 * MS);
        awaitWork();
    }

    @Test
    void aShareStaysOverAPause() throws Exception {
        heldBack();
        threads.pause();
        threads.run();
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            now.addAndGet(MS);
            return made.getFirst().getState() == Thread.State.TIMED_WAITING;
        });
    }

    @Test
    void runsNoBatchWithoutAPermitAndGoesOnWithOne() throws Exception {
        permitted.set(false);
        threads.run();
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> made.getFirst().getState() == Thread.State.TIMED_WAITING);
        assertThat(batches.get()).isZero();
        // one that stands for want of a permit stands for a pause as well
        threads.pause();
        threads.requirePaused("look");
        threads.run();
        permitted.set(true);
        awaitWork();
        permitted.set(false);
        Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> {
            long before = batches.get();
            Thread.State standing = made.getFirst().getState();
            return standing == Thread.State.TIMED_WAITING && batches.get() == before;
        });
        threads.pause();
        assertThat(ran.get()).as("each batch is told").isEqualTo(batches.get());
    }

    @Test
    void refusesAShareThatWouldStopIt() {
        assertThatThrownBy(() -> threads.throttle(100))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("100 percent; expected 0 to 99");
        assertThatThrownBy(() -> threads.throttle(-1)).isInstanceOf(IllegalArgumentException.class);
    }
}
