package io.godwit.stream;

import io.godwit.vm.GuestMemory;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.zip.CRC32C;

/**
 * A 64-bit digest of all guest RAM, the guest standing still: the CRC32C of each 1 MiB piece, mixed with the piece's
 * place, summed. The sum does not depend on the order of the pieces, so any number of threads may share the work.
 */
public final class RamDigest {
    /** Small enough for a core's second-level cache, large enough that a piece's bookkeeping does not show. */
    private static final int PIECE_BYTES = 1 << 20;

    private RamDigest() {}

    /**
     * Digests on the calling thread and up to {@code helpers} tasks on {@code executor}. Never waits for a helper that
     * has not started, so a busy executor only makes it slower. Blocks: call it from data-plane threads.
     */
    public static long of(GuestMemory memory, Executor executor, int helpers) {
        Work work = new Work(memory);
        for (int i = 0; i < helpers; i++) {
            executor.execute(work);
        }
        work.run();
        try {
            work.done.join();
        } catch (CompletionException e) {
            throw new IllegalStateException("RAM could not be digested", e.getCause());
        }
        return Mix.of(work.sum.sum() ^ memory.bytes());
    }

    private static final class Work implements Runnable {
        private final GuestMemory memory;
        private final long pieces;
        private final AtomicLong next = new AtomicLong();
        private final AtomicLong finished = new AtomicLong();
        private final LongAdder sum = new LongAdder();
        private final CompletableFuture<Boolean> done = new CompletableFuture<>();

        Work(GuestMemory memory) {
            this.memory = memory;
            this.pieces = (memory.bytes() + PIECE_BYTES - 1) / PIECE_BYTES;
            if (pieces == 0) {
                done.complete(true);
            }
        }

        @Override
        public void run() {
            CRC32C crc = new CRC32C();
            try {
                for (long piece = next.getAndIncrement(); piece < pieces; piece = next.getAndIncrement()) {
                    long gpa = piece * PIECE_BYTES;
                    ByteBuffer view = memory.buffer(gpa, (int) Math.min(PIECE_BYTES, memory.bytes() - gpa));
                    crc.reset();
                    crc.update(view);
                    sum.add(Mix.of(piece << 32 | crc.getValue()));
                    if (finished.incrementAndGet() == pieces) {
                        done.complete(true);
                    }
                }
            } catch (RuntimeException e) {
                done.completeExceptionally(e);
            }
        }
    }
}
