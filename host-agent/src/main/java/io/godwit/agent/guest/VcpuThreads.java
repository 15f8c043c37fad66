package io.godwit.agent.guest;

import io.godwit.proto.MonotonicClock;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * The vCPU threads of one guest: each runs its {@link VcpuEngine} at the workload's pace while the guest runs, and stands
 * still between two batches while it is paused. An engine that throws stops the whole guest and leaves its reason.
 */
public final class VcpuThreads {
    private enum Wanted {
        /** Batches are written. */
        RUN,
        /** Every thread stands still. */
        PAUSE,
        /** Every thread ends, for good. */
        END
    }

    private final String vm;
    private final List<? extends VcpuEngine> engines;
    private final double pagesPerSecond;
    private final boolean idle;
    private final GuestSettings settings;
    private final MonotonicClock clock;
    private final ThreadFactory factory;
    private final RunPermit permit;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final List<Thread> threads = new ArrayList<>();
    private volatile Wanted wanted = Wanted.PAUSE;
    private volatile @Nullable String failure;
    private volatile int throttlePercent;
    private int standing; // threads that stand still; one not yet woken by run() stands as well

    /** For the engines of one VM, whose workload sets the pace; threads are made on the first run. */
    public VcpuThreads(
            VmSpec spec,
            List<? extends VcpuEngine> engines,
            GuestSettings settings,
            MonotonicClock clock,
            ThreadFactory factory) {
        this(spec, engines, settings, clock, factory, RunPermit.ALWAYS);
    }

    /** As the other one; {@code permit} is asked before each batch, and a vCPU that may not run waits for it. */
    public VcpuThreads(
            VmSpec spec,
            List<? extends VcpuEngine> engines,
            GuestSettings settings,
            MonotonicClock clock,
            ThreadFactory factory,
            RunPermit permit) {
        this.permit = permit;
        this.vm = spec.name();
        this.engines = List.copyOf(engines);
        this.idle = spec.workload().workingSetBytes() == 0;
        this.pagesPerSecond = (double) spec.workload().dirtyBytesPerSecond() / GuestMemory.PAGE_SIZE / engines.size();
        this.settings = settings;
        this.clock = clock;
        this.factory = factory;
    }

    /** Lets them run; nothing when they do. */
    public void run() throws GuestException {
        lock.lock();
        try {
            if (failure != null) {
                throw new GuestException("VM " + vm + " cannot run: it has failed: " + failure);
            }
            if (wanted == Wanted.END) {
                throw new GuestException("VM " + vm + " cannot run: it is closed");
            }
            wanted = Wanted.RUN;
            startMissing();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Stops them and returns when all stand still; nothing when they do. */
    public void pause() throws GuestException {
        lock.lock();
        try {
            if (wanted == Wanted.RUN) {
                wanted = Wanted.PAUSE;
                threads.forEach(LockSupport::unpark);
            }
            if (!awaitStanding()) {
                throw new GuestException("VM " + vm + ": " + (threads.size() - standing) + " of " + threads.size()
                        + " vCPUs still run " + settings.pauseTimeout() + " after they were told to stop");
            }
        } finally {
            lock.unlock();
        }
    }

    /**
     * Holds every vCPU back for a share of its time from now on; does not wait for anything.
     *
     * @param percent 0 (not at all) to 99
     * @throws IllegalArgumentException when it is another
     */
    public void throttle(int percent) {
        if (percent < 0 || percent > 99) {
            throw new IllegalArgumentException(
                    "VM " + vm + ": a throttle of " + percent + " percent; expected 0 to 99");
        }
        lock.lock();
        try {
            throttlePercent = percent;
            // whoever stands still for an older share is to look again
            threads.forEach(LockSupport::unpark);
        } finally {
            lock.unlock();
        }
    }

    /** Demands that nothing runs: what is about to be done needs vCPUs that stand still. */
    public void requirePaused(String what) throws GuestException {
        lock.lock();
        try {
            if (wanted == Wanted.END) {
                throw new GuestException("VM " + vm + ": cannot " + what + ": it is closed");
            }
            if (wanted == Wanted.RUN || standing < threads.size()) {
                throw new GuestException("VM " + vm + ": cannot " + what + " while its vCPUs run; pause it first");
            }
        } finally {
            lock.unlock();
        }
    }

    /** Why they stopped by themselves, if they did. */
    public Optional<String> failure() {
        return Optional.ofNullable(failure);
    }

    /**
     * Ends every thread, for good, and returns when they have ended; nothing when they have.
     *
     * @throws IllegalStateException when one does not end in time: then its memory must not be freed
     */
    public void end() {
        lock.lock();
        try {
            wanted = Wanted.END;
            changed.signalAll();
            threads.forEach(LockSupport::unpark);
            if (!awaitStanding()) {
                throw new IllegalStateException("VM " + vm + ": a vCPU thread has not ended " + settings.pauseTimeout()
                        + " after it was told to; its memory stays mapped");
            }
        } finally {
            lock.unlock();
        }
        // past its last touch of guest memory every thread only has to return
        threads.forEach(VcpuThreads::join);
    }

    private void startMissing() throws GuestException {
        while (threads.size() < engines.size()) {
            int index = threads.size();
            try {
                Thread thread = factory.newThread(() -> live(index));
                thread.start();
                threads.add(thread); // after the start: whoever waits for threads to stand must not wait for a dead one
            } catch (OutOfMemoryError e) {
                wanted = Wanted.PAUSE;
                throw new GuestException("VM " + vm + ": no thread is to be had for vCPU " + index, e);
            }
        }
    }

    private void live(int index) {
        VcpuEngine engine = engines.get(index);
        Pacer pacer = new Pacer(
                pagesPerSecond,
                settings.batchPages(),
                settings.paceQuantum().toNanos(),
                settings.catchUpMax().toNanos());
        Throttle throttle = new Throttle(settings.throttleSlice().toNanos());
        try {
            while (wanted != Wanted.END) {
                throttle.restart(clock.nanoTime());
                pacer.restart(throttle.ownNanos());
                while (wanted == Wanted.RUN) {
                    work(engine, pacer, throttle);
                }
                engine.settle();
                stand();
            }
        } catch (Throwable e) { // an engine's bug must stop its guest, not only its thread
            fail("vCPU " + index + ": " + (e instanceof GuestException ? e.getMessage() : e.toString()));
        }
        lock.lock();
        try {
            standing++;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void work(VcpuEngine engine, Pacer pacer, Throttle throttle) throws GuestException {
        long held = throttle.holdNanos(clock.nanoTime(), throttlePercent);
        if (held > 0) {
            // a pause, or another share, wakes it
            LockSupport.parkNanos(this, held);
        } else if (!permit.mayRun()) {
            // nobody tells when it may again; a pause wakes it
            LockSupport.parkNanos(this, settings.idleInterval().toNanos());
        } else if (idle) {
            engine.batch(0);
            permit.ran();
            LockSupport.parkNanos(this, settings.idleInterval().toNanos());
        } else {
            long now = throttle.ownNanos();
            int pages = pacer.due(now);
            if (pages > 0) {
                engine.batch(pages);
                permit.ran();
                pacer.wrote(pages);
            } else {
                LockSupport.parkNanos(this, pacer.waitNanos(now));
            }
        }
        boolean _ =
                Thread.interrupted(); // nobody interrupts a vCPU; a stray interrupt would turn every park into a spin
    }

    private void stand() {
        lock.lock();
        try {
            standing++;
            changed.signalAll();
            while (wanted == Wanted.PAUSE) {
                changed.awaitUninterruptibly();
            }
            standing--;
        } finally {
            lock.unlock();
        }
    }

    private void fail(String reason) {
        lock.lock();
        try {
            if (failure == null) {
                failure = reason;
            }
            if (wanted == Wanted.RUN) {
                wanted = Wanted.PAUSE;
            }
            threads.forEach(LockSupport::unpark);
        } finally {
            lock.unlock();
        }
    }

    private boolean awaitStanding() {
        long left = settings.pauseTimeout().toNanos();
        boolean interrupted = false;
        while (standing < threads.size() && left > 0) {
            try {
                left = changed.awaitNanos(left);
            } catch (InterruptedException e) {
                interrupted = true; // half a pause is worse than a late one
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return standing == threads.size();
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                TimeUnit.MILLISECONDS.timedJoin(thread, 100);
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
