package io.godwit.agent.qemu.workload;

import static io.godwit.agent.qemu.workload.BootSectorGuest.PAGE_BYTES;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.OptionalLong;

/**
 * The rule of {@link BootSectorGuest}, checked over a dump of its pages (QMP {@code pmemsave}) taken while it stood still. With
 * the guest in pass n, the pages before it hold counter n and the others n-1, each page its own address after the counter,
 * and zeros behind. A page from an older copy, a lost or doubled addition, a page in the wrong place or a stray write breaks
 * that. (QEMU's migration tests check their guest by the same step down: tests/qtest/migration, check_guests_ram.)
 *
 * <p>Memory alone cannot tell an addition lost on the last page of a pass, or doubled on the first, from a guest one page
 * further back or ahead. The guest's own count of its additions, in register r15, can, but for the one addition that it may
 * have made and not counted yet: give it to the check where it is known. And totals only grow: a smaller one than before, such as before a migration, means that writes were lost.
 *
 * @param firstGpa guest physical address of the first page, bytes
 * @param pages pages to check, at least 1
 */
public record PageRule(long firstGpa, long pages) {
    /** What a dump shows. */
    public sealed interface Verdict {
        /**
         * The rule holds.
         *
         * @param pass the pass the guest is in, or has just finished; 0 when it has not begun the first
         * @param written pages it has written in this pass
         * @param total additions since the guest was booted: never smaller in a later dump
         */
        record Holds(long pass, long written, long total) implements Verdict {}

        /**
         * An update was lost or doubled, or something else wrote.
         *
         * @param gpa guest physical address of the first byte found wrong
         * @param found what is there and what was expected, to be read by an operator
         */
        record Broken(long gpa, String found) implements Verdict {}
    }

    private static final ValueLayout.OfLong NUMBER = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[PAGE_BYTES]);
    private static final int HEAD_BYTES = 16;

    /** Refuses an empty range. */
    public PageRule {
        if (pages < 1 || firstGpa < 0) {
            throw new IllegalArgumentException(
                    pages + " pages from " + firstGpa + "; expected at least 1, from 0 or more");
        }
    }

    /** Bytes of a dump. */
    public long bytes() {
        return pages * PAGE_BYTES;
    }

    /**
     * Checks a dump in a file; blocks.
     *
     * @param counted what the guest has counted (register r15), where known
     */
    public Verdict check(Path dump, OptionalLong counted) throws IOException {
        try (FileChannel file = FileChannel.open(dump, StandardOpenOption.READ);
                Arena arena = Arena.ofConfined()) {
            return check(file.map(FileChannel.MapMode.READ_ONLY, 0, file.size(), arena), counted);
        }
    }

    /**
     * Checks a dump in memory.
     *
     * @param dump exactly {@link #bytes()}, the first of them from {@code firstGpa}
     * @param counted what the guest has counted (register r15), where known
     */
    public Verdict check(MemorySegment dump, OptionalLong counted) {
        if (dump.byteSize() != bytes()) {
            throw new IllegalArgumentException(
                    "the dump has " + dump.byteSize() + " bytes; expected " + bytes() + " for " + pages + " pages");
        }
        long pass = dump.get(NUMBER, 0);
        if (pass < 0) {
            return new Verdict.Broken(firstGpa, "counter " + pass + "; expected 0 or more");
        }
        long written = pages;
        for (long page = 0; page < pages; page++) {
            long offset = page * PAGE_BYTES;
            long gpa = firstGpa + offset;
            long counter = dump.get(NUMBER, offset);
            if (written == pages && pass > 0 && counter == pass - 1) {
                written = page;
            }
            long expected = written == pages ? pass : pass - 1;
            if (counter != expected) {
                return new Verdict.Broken(
                        gpa,
                        "counter " + counter + "; expected " + expected + " in pass " + pass
                                + (written == pages ? "" : " after the step down at page " + written));
            }
            long address = dump.get(NUMBER, offset + 8);
            if (address != gpa) {
                return new Verdict.Broken(
                        gpa + 8,
                        "address 0x" + Long.toHexString(address) + "; expected its own, 0x" + Long.toHexString(gpa));
            }
            long stray = MemorySegment.mismatch(
                    dump, offset + HEAD_BYTES, offset + PAGE_BYTES, ZEROS, HEAD_BYTES, PAGE_BYTES);
            if (stray >= 0) {
                long at = HEAD_BYTES + stray;
                return new Verdict.Broken(
                        gpa + at,
                        "byte " + Byte.toUnsignedInt(dump.get(ValueLayout.JAVA_BYTE, offset + at)) + "; expected 0");
            }
        }
        // in pass 0 nothing is written; a pass just finished is the whole of it
        long total = pass == 0 ? 0 : (pass - 1) * pages + written;
        // the guest counts after it writes, and may have been stopped in between
        if (counted.isPresent() && total != counted.getAsLong() && total != counted.getAsLong() + 1) {
            return new Verdict.Broken(
                    firstGpa,
                    total + " additions in memory; expected the " + counted.getAsLong()
                            + " that the guest counted, or one more");
        }
        return new Verdict.Holds(pass, pass == 0 ? 0 : written, total);
    }
}
