package io.godwit.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One bit per 4 KiB guest page, safe for many setters and many takers at once: setting is an atomic OR, taking an atomic
 * AND, so a bit set while another is taken is never lost. Nothing here allocates after construction.
 */
public final class DirtyBitmap {
    private static final VarHandle WORDS = MethodHandles.arrayElementVarHandle(long[].class);

    private final long[] words;
    private final long pages;

    /** All pages clean. */
    public DirtyBitmap(long pages) {
        if (pages < 0 || pages > (long) Integer.MAX_VALUE * Long.SIZE) {
            throw new IllegalArgumentException("a dirty bitmap of " + pages + " pages");
        }
        this.pages = pages;
        this.words = new long[Math.toIntExact((pages + 63) >>> 6)];
    }

    /** Number of pages covered. */
    public long pages() {
        return pages;
    }

    /** Number of 64-bit words; bit b of word w stands for page 64 w + b. */
    public int wordCount() {
        return words.length;
    }

    /** Word {@code index} as it is now. */
    public long word(int index) {
        return (long) WORDS.getVolatile(words, index);
    }

    /** Marks the pages whose bits are set; bits beyond the last page are ignored. */
    public void orWord(int index, long bits) {
        long valid = bits & mask(index);
        if (valid != 0) {
            WORDS.getAndBitwiseOr(words, index, valid);
        }
    }

    /**
     * Marks the pages whose bits are set in {@code log}, 64-bit words in the byte order of the machine, as kernels report
     * them.
     *
     * @return pages marked in the log
     * @throws IllegalArgumentException when it has not as many words
     */
    public long orWords(MemorySegment log) {
        if (log.byteSize() != (long) words.length * Long.BYTES) {
            throw new IllegalArgumentException(
                    "a log of " + log.byteSize() + " bytes for a bitmap of " + words.length + " words");
        }
        long sum = 0;
        for (int i = 0; i < words.length; i++) {
            long bits = log.getAtIndex(ValueLayout.JAVA_LONG, i);
            if (bits != 0) {
                orWord(i, bits);
                sum += Long.bitCount(bits);
            }
        }
        return sum;
    }

    /** Takes the bits of {@code mask} out of word {@code index} and returns those that were set. */
    public long takeWord(int index, long mask) {
        return (long) WORDS.getAndBitwiseAnd(words, index, ~mask) & mask;
    }

    /** Marks one page. */
    public void set(long page) {
        check(page, 1);
        orWord((int) (page >>> 6), 1L << page);
    }

    /** Marks {@code count} pages from {@code first}. */
    public void setRange(long first, long count) {
        check(first, count);
        long page = first;
        long end = first + count;
        while (page < end) {
            long next = Math.min(end, (page | 63) + 1);
            orWord((int) (page >>> 6), bits(page, next));
            page = next;
        }
    }

    /** Clears {@code count} pages from {@code first}. */
    public void clearRange(long first, long count) {
        check(first, count);
        long page = first;
        long end = first + count;
        while (page < end) {
            long next = Math.min(end, (page | 63) + 1);
            takeWord((int) (page >>> 6), bits(page, next));
            page = next;
        }
    }

    /** Whether {@code page} is marked. */
    public boolean get(long page) {
        check(page, 1);
        return (word((int) (page >>> 6)) & (1L << page)) != 0;
    }

    /** Whether any of {@code count} pages from {@code first} is marked. */
    public boolean any(long first, long count) {
        check(first, count);
        long next = count == 0 ? -1 : nextSet(first);
        return next >= 0 && next < first + count;
    }

    /** Number of marked pages; exact only while nobody writes. */
    public long count() {
        long sum = 0;
        for (int i = 0; i < words.length; i++) {
            sum += Long.bitCount(word(i));
        }
        return sum;
    }

    /** Moves every mark into {@code target} and returns how many were taken. Both cover the same pages. */
    public long drainInto(DirtyBitmap target) {
        sameSize(target);
        long sum = 0;
        for (int i = 0; i < words.length; i++) {
            if (word(i) != 0) {
                long taken = takeWord(i, -1L);
                target.orWord(i, taken);
                sum += Long.bitCount(taken);
            }
        }
        return sum;
    }

    /** Marks here whatever is marked in {@code other}. */
    public void or(DirtyBitmap other) {
        sameSize(other);
        for (int i = 0; i < words.length; i++) {
            orWord(i, other.word(i));
        }
    }

    /** Marks here, from page {@code to}, whatever of {@code count} pages from {@code from} is marked in {@code other}. */
    public void orRange(DirtyBitmap other, long from, long to, long count) {
        check(to, count);
        other.check(from, count);
        for (long done = 0; done < count; ) {
            long target = to + done;
            int some = (int) Math.min(count - done, 64 - (target & 63));
            orWord((int) (target >>> 6), other.bitsAt(from + done, some) << target);
            done += some;
        }
    }

    /** {@code count} pages from {@code first}, at most 64, as the lowest bits. */
    private long bitsAt(long first, int count) {
        int index = (int) (first >>> 6);
        int shift = (int) (first & 63);
        long bits = word(index) >>> shift;
        if (shift + count > 64) {
            bits |= word(index + 1) << (64 - shift);
        }
        return bits & (-1L >>> (64 - count));
    }

    /** Clears here whatever is marked in {@code other}. */
    public void andNot(DirtyBitmap other) {
        sameSize(other);
        for (int i = 0; i < words.length; i++) {
            long theirs = other.word(i);
            if (theirs != 0) {
                takeWord(i, theirs);
            }
        }
    }

    /** Clears everything. */
    public void clear() {
        for (int i = 0; i < words.length; i++) {
            WORDS.setVolatile(words, i, 0L);
        }
    }

    /** Marks everything. */
    public void setAll() {
        if (pages > 0) {
            setRange(0, pages);
        }
    }

    /** First marked page at or after {@code from}, or -1. */
    public long nextSet(long from) {
        if (from >= pages) {
            return -1;
        }
        int index = (int) (from >>> 6);
        long bits = word(index) & (-1L << from);
        while (bits == 0) {
            if (++index == words.length) {
                return -1;
            }
            bits = word(index);
        }
        return ((long) index << 6) + Long.numberOfTrailingZeros(bits);
    }

    /** First page at or after {@code from} that is not marked, or {@link #pages()}. */
    public long nextClear(long from) {
        if (from >= pages) {
            return pages;
        }
        int index = (int) (from >>> 6);
        long bits = ~word(index) & (-1L << from);
        while (bits == 0) {
            if (++index == words.length) {
                return pages;
            }
            bits = ~word(index);
        }
        return Math.min(pages, ((long) index << 6) + Long.numberOfTrailingZeros(bits));
    }

    /**
     * Takes the run of marked pages that begins at {@code first}, at most {@code limit} pages, and returns its length.
     * Taking comes before reading the pages: a write after it marks the page anew.
     */
    public int takeRun(long first, int limit) {
        long page = first;
        long end = Math.min(pages, first + limit);
        while (page < end) {
            int index = (int) (page >>> 6);
            long next = Math.min(end, (page | 63) + 1);
            long wanted = bits(page, next);
            long present = word(index) & wanted;
            long gap = wanted & ~present;
            long run = gap == 0 ? wanted : wanted & (Long.lowestOneBit(gap) - 1);
            long taken = takeWord(index, run);
            if (taken != run) {
                // another taker was faster: keep only the unbroken part, give the rest back
                long missing = run & ~taken;
                long kept = taken & (Long.lowestOneBit(missing) - 1);
                orWord(index, taken & ~kept);
                return (int) (page - first) + Long.bitCount(kept);
            }
            page += Long.bitCount(run);
            if (gap != 0) {
                break;
            }
        }
        return (int) (page - first);
    }

    private long mask(int index) {
        long left = pages - ((long) index << 6);
        return left >= 64 ? -1L : (1L << left) - 1;
    }

    private static long bits(long from, long to) {
        long count = to - from;
        return (count == 64 ? -1L : (1L << count) - 1) << from;
    }

    private void check(long first, long count) {
        if (first < 0 || count < 0 || first + count > pages) {
            throw new IndexOutOfBoundsException("pages " + first + " to " + (first + count) + " of " + pages);
        }
    }

    private void sameSize(DirtyBitmap other) {
        if (other.pages != pages) {
            throw new IllegalArgumentException("bitmaps of " + pages + " and " + other.pages + " pages");
        }
    }
}
