package io.godwit.stream;

import static io.godwit.stream.StreamFixture.PACER;
import static io.godwit.stream.StreamFixture.PAGE;
import static io.godwit.stream.StreamFixture.SETTINGS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class StreamRoundTripTest {
    private final StreamFixture.Arrivals arrivals = new StreamFixture.Arrivals();

    private Future<Digests> receiver(ExecutorService pool, MigrationChannel channel, GuestMemory into) {
        return pool.submit(() -> {
            StreamReader reader = new StreamReader(channel, SETTINGS);
            Preamble preamble = reader.readPreamble();
            assertThat(preamble).isEqualTo(StreamFixture.preamble(into.pages()));
            reader.answer(new Answer.Accepted());
            Digests digests = reader.receive(into, arrivals);
            reader.answer(new Answer.SwitchoverReady());
            reader.answer(new Answer.Loaded(true, 5));
            reader.answer(new Answer.Running(1234));
            return digests;
        });
    }

    private static void rest(StreamWriter writer, Digests digests) throws Exception {
        writer.chunk("gpu0", DeviceChunkKind.INITIAL_END, ByteBuffer.allocate(0));
        writer.chunk("gpu0", DeviceChunkKind.STOPCOPY, ByteBuffer.wrap(new byte[] {1, 2, 3}));
        writer.chunk("gpu0", DeviceChunkKind.CONFIG, ByteBuffer.wrap(new byte[] {4}));
        writer.chunk("gpu0", DeviceChunkKind.END, ByteBuffer.allocate(0));
        writer.vcpu(0, new byte[] {5, 6});
        writer.end(digests);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void memoryDevicesAndVcpusArriveAsTheyWere(boolean stopped) throws Exception {
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newCachedThreadPool()) {
            GuestMemory source = StreamFixture.randomMemory(arena, 3000, new Random(1));
            GuestMemory target = StreamFixture.memory(arena, 3000);
            // a zero page must overwrite what was there
            target.segment().fill((byte) 9);
            var ends = StreamFixture.connect(1 << 20);
            Future<Digests> received = receiver(pool, ends.get(1), target);
            try (StreamWriter writer = new StreamWriter(ends.get(0), SETTINGS, PACER)) {
                writer.preamble(StreamFixture.preamble(3000));
                assertThat(writer.readAnswer()).isEqualTo(new Answer.Accepted());
                DirtyBitmap all = StreamFixture.allOf(source);
                RamSender sender = writer.sender(source);
                long sent = stopped ? sender.sendStopped(all, () -> false) : sender.send(all, () -> false);
                Digests digests = new Digests(StreamFixture.digest(source), Map.of("gpu0", 7L), 8);
                rest(writer, digests);
                assertThat(received.get()).isEqualTo(digests);
                assertThat(writer.readAnswer()).isEqualTo(new Answer.SwitchoverReady());
                assertThat(writer.readAnswer()).isEqualTo(new Answer.Loaded(true, 5));
                assertThat(writer.readAnswer()).isEqualTo(new Answer.Running(1234));

                assertThat(source.segment().mismatch(target.segment())).isEqualTo(-1);
                assertThat(all.count()).isZero();
                assertThat(writer.pagesSent() + writer.zeroPages()).isEqualTo(3000);
                assertThat(writer.zeroPages()).isBetween(500L, 1000L);
                assertThat(sent).isEqualTo(writer.pagesSent() * PAGE);
                assertThat(writer.bytesWritten()).isBetween(sent, sent + 100_000);
            }
            ends.get(1).close();
            assertThat(arrivals.seen)
                    .containsExactly(
                            "gpu0 INITIAL_END 1",
                            "gpu0 STOPCOPY "
                                    + List.of((byte) 1, (byte) 2, (byte) 3).hashCode(),
                            "gpu0 CONFIG " + List.of((byte) 4).hashCode(),
                            "gpu0 END 1",
                            "vcpu 0 " + List.of((byte) 5, (byte) 6).hashCode());
        }
    }

    @Test
    void memoryThatChangesWhileItIsSentIsEqualInTheEnd() throws Exception {
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newCachedThreadPool()) {
            GuestMemory source = StreamFixture.randomMemory(arena, 2000, new Random(2));
            GuestMemory target = StreamFixture.memory(arena, 2000);
            DirtyBitmap dirty = StreamFixture.allOf(source);
            AtomicBoolean running = new AtomicBoolean(true);
            Future<Long> guest = pool.submit(() -> {
                Random random = new Random(5);
                long writes = 0;
                while (running.get()) {
                    long page = random.nextLong(source.pages());
                    long at = page * PAGE + random.nextInt(PAGE / 8) * 8L;
                    source.segment().set(ValueLayout.JAVA_LONG, at, random.nextInt(3) == 0 ? 0 : random.nextLong());
                    dirty.set(page);
                    writes++;
                }
                return writes;
            });
            var ends = StreamFixture.connect(1 << 16);
            Future<Digests> received = receiver(pool, ends.get(1), target);
            try (StreamWriter writer = new StreamWriter(ends.get(0), SETTINGS, PACER)) {
                writer.preamble(StreamFixture.preamble(2000));
                RamSender sender = writer.sender(source);
                while (writer.pagesSent() <= 20_000) {
                    sender.send(dirty, () -> writer.pagesSent() > 20_000);
                }
                running.set(false);
                assertThat(guest.get()).isPositive();
                sender.sendStopped(dirty, () -> false);
                rest(writer, Digests.NONE);
                received.get();
                assertThat(writer.pagesSent()).isGreaterThan(20_000);
                assertThat(source.segment().mismatch(target.segment())).isEqualTo(-1);
                assertThat(StreamFixture.digest(target)).isEqualTo(StreamFixture.digest(source));
            }
            ends.get(1).close();
        }
    }

    @Test
    void aSlowReaderHoldsTheWriterUpAndNothingIsLost() throws Exception {
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newCachedThreadPool()) {
            GuestMemory source = StreamFixture.randomMemory(arena, 600, new Random(4));
            GuestMemory target = StreamFixture.memory(arena, 600);
            var ends = StreamFixture.connect(1 << 14);
            StreamFixture.SocketEnd end = ends.get(1);
            // a few bytes at a time: every header and payload is cut somewhere
            Random random = new Random(6);
            MigrationChannel slow = new MigrationChannel() {
                @Override
                public void write(ByteBuffer[] buffers, int offset, int length) throws java.io.IOException {
                    end.write(buffers, offset, length);
                }

                @Override
                public int read(ByteBuffer into) throws java.io.IOException {
                    int limit = into.limit();
                    into.limit(Math.min(limit, into.position() + 1 + random.nextInt(700)));
                    try {
                        return end.read(into);
                    } finally {
                        into.limit(limit);
                    }
                }

                @Override
                public String peer() {
                    return end.peer();
                }

                @Override
                public void close() throws java.io.IOException {
                    end.close();
                }
            };
            Future<Digests> received = receiver(pool, slow, target);
            try (StreamWriter writer = new StreamWriter(ends.get(0), SETTINGS, PACER)) {
                writer.preamble(StreamFixture.preamble(600));
                writer.sender(source).send(StreamFixture.allOf(source), () -> false);
                rest(writer, Digests.NONE);
                received.get();
                assertThat(source.segment().mismatch(target.segment())).isEqualTo(-1);
            }
            slow.close();
        }
    }

    @Test
    void aGuestThatWritesFasterThanItIsSentDoesNotKeepOnePassFromEnding() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            GuestMemory source = StreamFixture.memory(arena, 1000);
            source.segment().fill((byte) 1);
            DirtyBitmap dirty = StreamFixture.allOf(source);
            StreamWriter writer = new StreamWriter(new StreamFixture.Tape(), SETTINGS, PACER);
            writer.preamble(StreamFixture.preamble(1000));
            int[] asked = {0};
            long sent = writer.sender(source).send(dirty, () -> {
                // all that has been sent by now is written again
                dirty.setRange(0, dirty.nextSet(0));
                return asked[0]++ == 1000;
            });
            assertThat(sent).as("each page once").isEqualTo(1000L * PAGE);
            assertThat(asked[0]).isLessThan(1000);
            assertThat(dirty.count()).as("left for the next pass").isPositive();
        }
    }

    @Test
    void stopIsHeededAndWhatWasTakenIsSent() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            GuestMemory source = StreamFixture.memory(arena, 1000);
            source.segment().fill((byte) 1);
            DirtyBitmap dirty = StreamFixture.allOf(source);
            StreamFixture.Tape tape = new StreamFixture.Tape();
            StreamWriter writer = new StreamWriter(tape, SETTINGS, PACER);
            writer.preamble(StreamFixture.preamble(1000));
            int[] asked = {0};
            long sent = writer.sender(source).send(dirty, () -> asked[0]++ == 3);
            assertThat(sent / PAGE + dirty.count()).isEqualTo(1000);
            assertThat(sent).isPositive().isEqualTo(writer.pagesSent() * PAGE).isLessThan(1000L * PAGE);
        }
    }

    @Test
    void theSourceLearnsWhyItWasRefusedEvenIfItsWriteFailedFirst() throws Exception {
        try (Arena arena = Arena.ofShared()) {
            GuestMemory source = StreamFixture.memory(arena, 4000);
            source.segment().fill((byte) 1);
            var ends = StreamFixture.connect(1 << 16);
            try (StreamWriter writer = new StreamWriter(ends.get(0), SETTINGS, PACER)) {
                writer.preamble(StreamFixture.preamble(4000));
                StreamReader reader = new StreamReader(ends.get(1), SETTINGS);
                reader.readPreamble();
                reader.answer(new Answer.Refused("no room for vm1"));
                reader.close();
                assertThatThrownBy(() -> {
                            RamSender sender = writer.sender(source);
                            while (true) {
                                sender.send(StreamFixture.allOf(source), () -> false);
                            }
                        })
                        .isInstanceOf(java.io.IOException.class);
                assertThat(writer.readAnswer()).isEqualTo(new Answer.Refused("no room for vm1"));
                assertThatThrownBy(() -> writer.end(Digests.NONE)).hasMessageContaining("broke in an earlier write");
            }
        }
    }
}
