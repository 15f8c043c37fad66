package io.godwit.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TableTest {
    @Test
    void alignsTextToTheLeftAndNumbersToTheRight() {
        String text = new Table("NAME", ">SIZE", "NOTE")
                .row("a", "5", "first")
                .row("longer", "1234567", "second")
                .render();
        assertThat(text).isEqualTo("""
                        NAME       SIZE  NOTE
                        a             5  first
                        longer  1234567  second
                        """);
    }

    @Test
    void keepsColumnsWholeWhenACellIsEmptyOrHasLineBreaks() {
        assertThat(new Table("A", "B").row("", "x\ny").render()).isEqualTo("A  B\n-  x y\n");
    }

    @Test
    void countsCharactersAndNotTheirCodeUnits() {
        assertThat(new Table("A", "B").row("\uD83D\uDC26", "1").render()).isEqualTo("A  B\n\uD83D\uDC26  1\n");
    }

    @Test
    void refusesARowThatDoesNotFitTheHeader() {
        assertThatThrownBy(() -> new Table("A", "B").row("1")).isInstanceOf(IllegalArgumentException.class);
    }
}
