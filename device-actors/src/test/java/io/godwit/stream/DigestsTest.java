package io.godwit.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.vm.GuestMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

class DigestsTest {
    @Test
    void ramDigestIsTheSameForAnyNumberOfHelpersAndChangesWithAnyByte() {
        try (Arena arena = Arena.ofShared();
                ExecutorService pool = Executors.newFixedThreadPool(3)) {
            Random random = new Random(3);
            GuestMemory memory = StreamFixture.randomMemory(arena, 2000, random);
            long digest = RamDigest.of(memory, Runnable::run, 0);
            assertThat(RamDigest.of(memory, pool, 3)).isEqualTo(digest);
            for (int i = 0; i < 100; i++) {
                long at = random.nextLong(memory.bytes());
                byte before = memory.segment().get(ValueLayout.JAVA_BYTE, at);
                memory.segment().set(ValueLayout.JAVA_BYTE, at, (byte) (before ^ 1 << random.nextInt(8)));
                assertThat(RamDigest.of(memory, pool, 1)).isNotEqualTo(digest);
                memory.segment().set(ValueLayout.JAVA_BYTE, at, before);
            }
        }
    }

    @Test
    void ramDigestChangesWhenTwoPiecesTradePlaces() {
        try (Arena arena = Arena.ofShared()) {
            GuestMemory memory = StreamFixture.memory(arena, 512);
            memory.segment().asSlice(0, 1 << 20).fill((byte) 1);
            long digest = StreamFixture.digest(memory);
            MemorySegment.copy(memory.segment(), 0, memory.segment(), 1 << 20, 1 << 20);
            memory.segment().asSlice(0, 1 << 20).fill((byte) 0);
            assertThat(StreamFixture.digest(memory)).isNotEqualTo(digest);
        }
    }

    @Test
    void ramDigestDoesNotWaitForHelpersThatNeverStart() {
        try (Arena arena = Arena.ofShared()) {
            GuestMemory memory = StreamFixture.memory(arena, 300);
            assertThat(RamDigest.of(memory, task -> {}, 4)).isEqualTo(StreamFixture.digest(memory));
        }
    }

    @Test
    void differenceNamesWhatDiffers() {
        Digests source = new Digests(1, Map.of("gpu0", 5L), 9);
        assertThat(source.difference(new Digests(1, Map.of("gpu0", 5L), 9))).isEmpty();
        assertThat(source.difference(new Digests(2, Map.of("gpu0", 5L), 9)).orElseThrow())
                .isEqualTo("RAM differs: digest 0000000000000001 at the source, 0000000000000002 at the destination");
        assertThat(source.difference(new Digests(1, Map.of("gpu0", 6L), 9)).orElseThrow())
                .startsWith("device gpu0 differs");
        assertThat(source.difference(new Digests(1, Map.of(), 9)).orElseThrow())
                .isEqualTo("device gpu0 has no digest at the destination");
        assertThat(source.difference(new Digests(1, Map.of("gpu0", 5L), 8)).orElseThrow())
                .startsWith("vCPU state differs");
    }

    @Test
    void vcpuDigestDependsOnBytesOrderAndLength() {
        long digest = Digests.ofVcpus(List.of(new byte[] {1}, new byte[] {2}));
        assertThat(List.of(
                        Digests.ofVcpus(List.of(new byte[] {2}, new byte[] {1})),
                        Digests.ofVcpus(List.of(new byte[] {1, 2})),
                        Digests.ofVcpus(List.of(new byte[] {1}, new byte[] {2}, new byte[0])),
                        Digests.ofVcpus(List.of(new byte[] {1}, new byte[] {3}))))
                .doesNotContain(digest)
                .doesNotHaveDuplicates();
    }
}
