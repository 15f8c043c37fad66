package io.godwit.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DirtyBitmapTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 63, 64, 65, 128, 1000})
    void doesWhatABitSetDoes(int pages) {
        Random random = new Random(pages);
        DirtyBitmap map = new DirtyBitmap(pages);
        DirtyBitmap other = new DirtyBitmap(pages);
        BitSet model = new BitSet();
        BitSet otherModel = new BitSet();
        for (int step = 0; step < 5000; step++) {
            int first = random.nextInt(pages);
            int count = random.nextInt(pages - first + 1);
            switch (random.nextInt(14)) {
                case 0 -> {
                    map.set(first);
                    model.set(first);
                }
                case 1 -> {
                    map.setRange(first, count);
                    model.set(first, first + count);
                }
                case 2 -> {
                    map.clearRange(first, count);
                    model.clear(first, first + count);
                }
                case 3, 4, 5 -> {
                    int limit = random.nextInt(1, 200);
                    int run = Math.min(limit, model.nextClearBit(first) - first);
                    assertThat(map.takeRun(first, limit)).isEqualTo(run);
                    model.clear(first, first + run);
                }
                case 6 -> {
                    other.set(first);
                    otherModel.set(first);
                }
                case 7 -> {
                    map.or(other);
                    model.or(otherModel);
                }
                case 8 -> {
                    map.andNot(other);
                    model.andNot(otherModel);
                }
                case 9 -> {
                    assertThat(map.drainInto(other)).isEqualTo(model.cardinality());
                    otherModel.or(model);
                    model.clear();
                }
                case 10 -> {
                    long word = random.nextLong();
                    int index = first >>> 6;
                    map.orWord(index, word);
                    for (int bit = 0; bit < 64 && 64 * index + bit < pages; bit++) {
                        if ((word >>> bit & 1) != 0) {
                            model.set(64 * index + bit);
                        }
                    }
                }
                case 11 -> {
                    long[] log = random.longs(map.wordCount()).toArray();
                    // a kernel's log ends with the last page
                    log[log.length - 1] &= pages % 64 == 0 ? -1 : (1L << pages % 64) - 1;
                    BitSet logged = BitSet.valueOf(log);
                    assertThat(map.orWords(MemorySegment.ofArray(log))).isEqualTo(logged.cardinality());
                    model.or(logged);
                }
                case 12 -> {
                    int to = random.nextInt(pages - count + 1);
                    map.orRange(other, first, to, count);
                    otherModel.get(first, first + count).stream().forEach(bit -> model.set(to + bit));
                }
                default -> {
                    other.clear();
                    otherModel.clear();
                }
            }
            assertThat(map.nextSet(first)).isEqualTo(model.nextSetBit(first));
            assertThat(map.nextClear(first)).isEqualTo(Math.min(pages, model.nextClearBit(first)));
            assertThat(map.any(first, count))
                    .isEqualTo(!model.get(first, first + count).isEmpty());
            assertThat(map.get(first)).isEqualTo(model.get(first));
            assertThat(map.count()).isEqualTo(model.cardinality());
        }
        assertThat(bits(map)).isEqualTo(model);
        assertThat(bits(other)).isEqualTo(otherModel);
        map.setAll();
        assertThat(map.count()).isEqualTo(pages);
    }

    @Test
    void noWriteIsLostWhileSettersAndTakersRace() throws ExecutionException, InterruptedException {
        int pages = 300;
        int rounds = 20_000;
        DirtyBitmap map = new DirtyBitmap(pages);
        AtomicIntegerArray written = new AtomicIntegerArray(pages);
        AtomicIntegerArray read = new AtomicIntegerArray(pages);
        AtomicInteger settersLeft = new AtomicInteger(2);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Future<?>> done = new ArrayList<>();
            for (int s = 0; s < 2; s++) {
                Random random = new Random(s);
                done.add(threads.submit(() -> {
                    for (int i = 0; i < rounds; i++) {
                        int page = random.nextInt(pages);
                        // as a guest does: write, then mark
                        written.incrementAndGet(page);
                        map.set(page);
                    }
                    settersLeft.decrementAndGet();
                }));
            }
            for (int t = 0; t < 2; t++) {
                done.add(threads.submit(() -> {
                    boolean last;
                    do {
                        last = settersLeft.get() == 0;
                        takeAll(map, written, read);
                    } while (!last);
                }));
            }
            for (Future<?> each : done) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
        takeAll(map, written, read);
        for (int page = 0; page < pages; page++) {
            assertThat(read.get(page)).as("page %d, last copy", page).isEqualTo(written.get(page));
        }
    }

    /** As a sender does: take the mark, then read. */
    private static void takeAll(DirtyBitmap map, AtomicIntegerArray written, AtomicIntegerArray read) {
        for (long page = map.nextSet(0); page >= 0; page = map.nextSet(page)) {
            int run = map.takeRun(page, 70);
            for (int i = (int) page; i < page + run; i++) {
                int value = written.get(i);
                read.accumulateAndGet(i, value, Math::max);
            }
        }
    }

    @Test
    void rangesOutsideAndBitmapsOfOtherSizesAreRefused() {
        DirtyBitmap map = new DirtyBitmap(10);
        assertThatThrownBy(() -> map.set(10)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> map.setRange(5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> map.get(-1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> map.or(new DirtyBitmap(11))).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> new DirtyBitmap(-1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> map.orWords(MemorySegment.ofArray(new long[2])))
                .hasMessage("a log of 16 bytes for a bitmap of 1 words");
        assertThat(map.nextClear(10)).isEqualTo(10);
        assertThat(map.nextSet(10)).isEqualTo(-1);
        assertThat(new DirtyBitmap(0).nextSet(0)).isEqualTo(-1);
    }

    private static BitSet bits(DirtyBitmap map) {
        BitSet set = new BitSet();
        for (long page = map.nextSet(0); page >= 0; page = map.nextSet(page + 1)) {
            set.set((int) page);
        }
        return set;
    }
}
