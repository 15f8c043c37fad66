package io.godwit.vm;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class WriteRuleTest {
    private static final int PAGE = GuestMemory.PAGE_SIZE;
    private static final int PAGES = 5;
    private static final GuestLayout.Range RANGE = new GuestLayout.Range(2 * PAGE, (long) PAGES * PAGE);

    private final Arena arena = Arena.ofConfined();
    private final GuestMemory memory = new GuestMemory(arena.allocate(8L * PAGE, PAGE));

    @AfterEach
    void free() {
        arena.close();
    }

    private void add(int page, long by) {
        long gpa = RANGE.gpa() + (long) page * PAGE;
        memory.segment().set(ValueLayout.JAVA_LONG, gpa, memory.segment().get(ValueLayout.JAVA_LONG, gpa) + by);
    }

    @Test
    void holdsAfterEveryWriteOfAWriterThatKeepsIt() {
        assertThat(WriteRule.violation(memory, RANGE, 0)).isEmpty();
        for (int write = 0; write < 3 * PAGES + 2; write++) {
            add(write % PAGES, 1);
            assertThat(WriteRule.violation(memory, RANGE, write + 1)).isEmpty();
        }
    }

    @Test
    void aLostADoubledAndAnUncountedWriteBreakIt() {
        for (int write = 0; write < 12; write++) {
            add(write % PAGES, 1);
        }
        assertThat(WriteRule.violation(memory, RANGE, 12)).isEmpty();
        assertThat(WriteRule.violation(memory, RANGE, 11)).as("uncounted").isPresent();
        assertThat(WriteRule.violation(memory, RANGE, 13))
                .as("counted, not there")
                .isPresent();
        add(3, -1);
        assertThat(WriteRule.violation(memory, RANGE, 12))
                .as("a page of an older copy")
                .hasValueSatisfying(found -> assertThat(found).contains("0x5000", "holds 1", "expected 2", "page 3"));
        add(3, 2);
        assertThat(WriteRule.violation(memory, RANGE, 12)).as("written twice").isPresent();
    }

    @Test
    void writesWithoutPagesToWriteAreAViolation() {
        GuestLayout.Range none = new GuestLayout.Range(0, 0);
        assertThat(WriteRule.violation(memory, none, 0)).isEmpty();
        assertThat(WriteRule.violation(memory, none, 1)).isPresent();
    }
}
