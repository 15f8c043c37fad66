package io.godwit.stream;

import static io.godwit.stream.StreamFixture.PACER;
import static io.godwit.stream.StreamFixture.PAGE;
import static io.godwit.stream.StreamFixture.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.sun.management.ThreadMXBean;
import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.GuestMemory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class StreamBreakTest {
    @Test
    void aWriterBlockedOnAFullStreamIsLetGoByClose() throws Exception {
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newCachedThreadPool()) {
            GuestMemory source = StreamFixture.memory(arena, 20_000);
            source.segment().fill((byte) 1);
            var ends = StreamFixture.connect(1 << 14);
            StreamWriter writer = new StreamWriter(ends.get(0), SETTINGS, PACER);
            writer.preamble(StreamFixture.preamble(20_000));
            DirtyBitmap dirty = StreamFixture.allOf(source);
            Future<Long> sending = pool.submit(() -> writer.sender(source).send(dirty, () -> false));
            // nobody reads: it stands once the kernel's buffers are full
            long[] before = {dirty.pages()};
            await().until(() -> {
                long now = dirty.count();
                boolean still = now == before[0] && now < dirty.pages();
                before[0] = now;
                return still;
            });
            assertThat(sending).isNotDone();
            writer.close();
            assertThatThrownBy(sending::get)
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(IOException.class);
            ends.get(1).close();
        }
    }

    @Test
    void aConnectionCutInTheMiddleEndsTheReceptionSayingWhere() throws Exception {
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newCachedThreadPool()) {
            GuestMemory source = StreamFixture.memory(arena, 100);
            source.segment().fill((byte) 1);
            var ends = StreamFixture.connect(1 << 16);
            Future<Digests> received = pool.submit(() -> {
                StreamReader reader = new StreamReader(ends.get(1), SETTINGS);
                reader.readPreamble();
                return reader.receive(StreamFixture.memory(arena, 100), new StreamFixture.Arrivals());
            });
            StreamWriter writer = new StreamWriter(ends.get(0), SETTINGS, PACER);
            writer.preamble(StreamFixture.preamble(100));
            writer.sender(source).send(StreamFixture.allOf(source), () -> false);
            writer.close();
            assertThatThrownBy(received::get)
                    .hasCauseInstanceOf(StreamException.class)
                    .hasMessageContaining("stream from loopback ended early: at byte " + writer.bytesWritten());
            ends.get(1).close();
        }
    }

    @Test
    void theRateLimitSpacesWritesAndIsLiftedAtOnce() throws Exception {
        long[] now = {5};
        List<Long> parked = new ArrayList<>();
        Pacer pacer = new Pacer() {
            @Override
            public void park(long nanos) {
                parked.add(nanos);
                now[0] += nanos;
            }

            @Override
            public long nanoTime() {
                return now[0];
            }
        };
        try (Arena arena = Arena.ofShared()) {
            GuestMemory source = StreamFixture.memory(arena, 1000);
            source.segment().fill((byte) 1);
            StreamWriter writer = new StreamWriter(new StreamFixture.Tape(), SETTINGS, pacer);
            writer.preamble(StreamFixture.preamble(1000));
            writer.rateLimit(4_000_000);
            RamSender sender = writer.sender(source);
            sender.send(StreamFixture.allOf(source), () -> false);
            double seconds = now[0] / 1e9;
            // the last write is not waited for
            assertThat(seconds).isBetween((4_096_000 - 300_000) / 4e6, 4_200_000 / 4e6);
            assertThat(parked).allMatch(nanos -> nanos <= 5_000_000);

            parked.clear();
            writer.rateLimit(0);
            sender.send(StreamFixture.allOf(source), () -> false);
            assertThat(parked).isEmpty();
        }
    }

    @Test
    void aWriteThatWaitsForItsTurnIsLetGoWhenTheLimitIsLifted() throws Exception {
        long[] now = {0};
        StreamWriter[] writer = new StreamWriter[1];
        Pacer pacer = new Pacer() {
            @Override
            public void park(long nanos) {
                now[0] += nanos;
                if (now[0] > 1_000_000_000L) {
                    writer[0].rateLimit(0);
                }
            }

            @Override
            public long nanoTime() {
                return now[0];
            }
        };
        writer[0] = new StreamWriter(new StreamFixture.Tape(), SETTINGS, pacer);
        writer[0].preamble(StreamFixture.preamble(1));
        writer[0].rateLimit(10);
        writer[0].chunk("gpu0", DeviceChunkKind.PRECOPY, ByteBuffer.allocate(1000));
        writer[0].chunk("gpu0", DeviceChunkKind.PRECOPY, ByteBuffer.allocate(1000));
        assertThat(now[0]).isBetween(1_000_000_000L, 1_100_000_000L);
    }

    @Test
    void nothingIsAllocatedPerPageOrRun() throws Exception {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int pages = 8192;
        try (Arena arena = Arena.ofShared()) {
            GuestMemory source = StreamFixture.memory(arena, pages);
            source.segment().fill((byte) 1);
            GuestMemory target = StreamFixture.memory(arena, pages);
            ByteBuffer recorded = ByteBuffer.allocateDirect(pages / 2 * (PAGE + 40) + 4096);
            MigrationChannel channel = new Recorder(recorded);
            StreamWriter writer = new StreamWriter(channel, SETTINGS, PACER);
            RamSender sender = writer.sender(source);
            writer.preamble(new Preamble("m", "v", 1, PAGE, source.bytes(), 1, "soft", List.of(), false));
            recorded.clear();
            DirtyBitmap everyOther = new DirtyBitmap(pages);
            for (boolean stopped : new boolean[] {false, true}) {
                for (int round = 0; ; round++) {
                    for (int page = 0; page < pages; page += 2) {
                        everyOther.set(page);
                    }
                    recorded.clear();
                    long before = threads.getCurrentThreadAllocatedBytes();
                    if (stopped) {
                        sender.sendStopped(everyOther, () -> false);
                    } else {
                        sender.send(everyOther, () -> false);
                    }
                    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
                    // the first round loads classes and makes the windows
                    if (round > 0) {
                        assertThat(allocated).isLessThan(pages / 2);
                        break;
                    }
                }
            }
            recorded.flip();
            ChannelInput input = new ChannelInput(channel, SETTINGS.readAheadBytes());
            HeaderReader headers = new HeaderReader(input, SETTINGS.headerBytesMax());
            RamReceiver receiver = new RamReceiver(input, target, SETTINGS);
            receiver.run(headers.next("frame header"));
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int run = 1; run < pages / 2; run++) {
                receiver.run(headers.next("frame header"));
            }
            assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(pages / 2);
        }
    }

    private record Recorder(ByteBuffer recorded) implements MigrationChannel {
        @Override
        public void write(ByteBuffer[] buffers, int offset, int length) {
            for (int i = offset; i < offset + length; i++) {
                recorded.put(buffers[i]);
            }
        }

        @Override
        public int read(ByteBuffer into) {
            int bytes = Math.min(into.remaining(), recorded.remaining());
            int limit = recorded.limit();
            into.put(recorded.limit(recorded.position() + bytes));
            recorded.limit(limit);
            return bytes;
        }

        @Override
        public String peer() {
            return "recorder";
        }

        @Override
        public void close() {}
    }
}
