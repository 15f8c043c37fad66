package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.agent.qemu.workload.PageRule.Verdict;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PageRuleTest {
    private static final long FIRST = BootSectorGuest.START_GPA;
    private static final int PAGES = 10;
    private static final PageRule RULE = new PageRule(FIRST, PAGES);

    /** Memory of a guest that made so many additions. */
    private static MemorySegment after(long additions) {
        MemorySegment dump = MemorySegment.ofArray(new long[PAGES * 512]);
        for (int page = 0; page < PAGES; page++) {
            set(dump, page, 0, additions / PAGES + (page < additions % PAGES ? 1 : 0));
            set(dump, page, 1, FIRST + page * 4096L);
        }
        return dump;
    }

    private static void set(MemorySegment dump, int page, int word, long value) {
        dump.set(ValueLayout.JAVA_LONG_UNALIGNED, page * 4096L + word * 8L, value);
    }

    private static Verdict check(MemorySegment dump) {
        return RULE.check(dump, OptionalLong.empty());
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 0", "1, 1, 1", "9, 1, 9", "10, 1, 10", "11, 2, 1", "70, 7, 10", "74, 8, 4"})
    void holdsWhereverTheGuestStands(long additions, long pass, long written) {
        assertThat(check(after(additions))).isEqualTo(new Verdict.Holds(pass, written, additions));
        assertThat(RULE.check(after(additions), OptionalLong.of(additions)))
                .isEqualTo(new Verdict.Holds(pass, written, additions));
    }

    @Test
    void theGuestMayStandBetweenAnAdditionAndItsCount() {
        assertThat(RULE.check(after(74), OptionalLong.of(73))).isInstanceOf(Verdict.Holds.class);
        assertThat(RULE.check(after(74), OptionalLong.of(75)))
                .isEqualTo(new Verdict.Broken(
                        FIRST, "74 additions in memory; expected the 75 that the guest counted, or one more"));
        assertThat(RULE.check(after(74), OptionalLong.of(72))).isInstanceOf(Verdict.Broken.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 6, 9})
    void findsALostAddition(int page) {
        // the guest stands at page 4; an addition lost on page 3 looks as if it stood there, and only its count tells
        MemorySegment dump = after(74);
        set(dump, page, 0, page < 4 ? 7 : 6);
        assertThat(RULE.check(dump, OptionalLong.of(74))).isInstanceOf(Verdict.Broken.class);
        assertThat(check(dump)).isInstanceOf(page == 3 ? Verdict.Holds.class : Verdict.Broken.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 9})
    void findsADoubledAddition(int page) {
        // doubled on page 4, it looks as if the guest had gone on by one, and had not counted that yet
        MemorySegment dump = after(74);
        set(dump, page, 0, page < 4 ? 9 : 8);
        Class<? extends Verdict> expected = page == 4 ? Verdict.Holds.class : Verdict.Broken.class;
        assertThat(RULE.check(dump, OptionalLong.of(74))).isInstanceOf(expected);
        assertThat(RULE.check(dump, OptionalLong.of(73))).isInstanceOf(Verdict.Broken.class);
        assertThat(check(dump)).isInstanceOf(expected);
    }

    @Test
    void namesThePageAndWhatWasExpected() {
        MemorySegment old = after(74);
        set(old, 2, 0, 3);
        assertThat(check(old)).isEqualTo(new Verdict.Broken(FIRST + 2 * 4096, "counter 3; expected 8 in pass 8"));
        MemorySegment second = after(74);
        set(second, 7, 0, 8);
        assertThat(check(second))
                .isEqualTo(new Verdict.Broken(
                        FIRST + 7 * 4096, "counter 8; expected 7 in pass 8 after the step down at page 4"));
    }

    @Test
    void findsAPageInTheWrongPlace() {
        MemorySegment dump = after(74);
        MemorySegment.copy(dump, 6 * 4096, dump, 8 * 4096, 4096);
        assertThat(check(dump))
                .isEqualTo(new Verdict.Broken(FIRST + 8 * 4096 + 8, "address 0x106000; expected its own, 0x108000"));
    }

    @Test
    void findsAPageThatNeverArrived() {
        MemorySegment dump = after(0);
        dump.asSlice(5 * 4096, 4096).fill((byte) 0);
        assertThat(check(dump)).isInstanceOf(Verdict.Broken.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {16, 17, 2048, 4095})
    void findsAStrayByte(int at) {
        MemorySegment dump = after(74);
        dump.set(ValueLayout.JAVA_BYTE, 9 * 4096 + at, (byte) 200);
        assertThat(check(dump)).isEqualTo(new Verdict.Broken(FIRST + 9 * 4096 + at, "byte 200; expected 0"));
    }

    @Test
    void findsACounterThatIsNone() {
        MemorySegment dump = after(74);
        set(dump, 0, 0, -1);
        assertThat(check(dump)).isEqualTo(new Verdict.Broken(FIRST, "counter -1; expected 0 or more"));
        MemorySegment before = after(0);
        set(before, 4, 0, -1);
        assertThat(check(before)).isInstanceOf(Verdict.Broken.class);
    }

    @Test
    void refusesADumpOfAnotherSize() {
        assertThatThrownBy(() -> check(after(1).asSlice(0, 4096)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("the dump has 4096 bytes; expected 40960 for 10 pages");
        assertThatThrownBy(() -> new PageRule(0, 0)).hasMessageContaining("expected at least 1");
    }

    @Test
    void readsADumpFromAFile(@TempDir Path folder) throws Exception {
        Path dump = Files.write(folder.resolve("dump"), after(74).toArray(ValueLayout.JAVA_BYTE));
        assertThat(RULE.check(dump, OptionalLong.of(74))).isEqualTo(new Verdict.Holds(8, 4, 74));
    }
}
