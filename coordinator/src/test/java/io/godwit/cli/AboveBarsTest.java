package io.godwit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class AboveBarsTest {
    /** As much of a terminal as is needed: rows, a cursor, and what a line feed in the last row does. */
    private static final class Screen {
        private static final Pattern ESCAPE = Pattern.compile("\u001b\\[(\\d+)([ABL])");
        private final int height;
        private final List<StringBuilder> rows = new ArrayList<>();
        private int row;
        private int column;

        Screen(int height) {
            this.height = height;
            for (int i = 0; i < height; i++) {
                rows.add(new StringBuilder());
            }
        }

        void print(String text) {
            for (int at = 0; at < text.length(); at++) {
                Matcher escape = ESCAPE.matcher(text).region(at, text.length());
                if (escape.lookingAt()) {
                    move(Integer.parseInt(escape.group(1)), escape.group(2));
                    at = escape.end() - 1;
                } else if (text.charAt(at) == '\n') {
                    lineFeed();
                } else if (text.charAt(at) == '\r') {
                    column = 0;
                } else {
                    put(text.charAt(at));
                }
            }
        }

        private void move(int count, String how) {
            switch (how) {
                case "A" -> row = Math.max(0, row - count);
                case "B" -> row = Math.min(height - 1, row + count);
                default -> {
                    for (int i = 0; i < count; i++) {
                        rows.removeLast();
                        rows.add(row, new StringBuilder());
                    }
                }
            }
        }

        private void lineFeed() {
            column = 0;
            if (row == height - 1) {
                rows.removeFirst();
                rows.add(new StringBuilder());
            } else {
                row++;
            }
        }

        private void put(char character) {
            StringBuilder line = rows.get(row);
            while (line.length() <= column) {
                line.append(' ');
            }
            line.setCharAt(column++, character);
        }

        List<String> lines() {
            return rows.stream().map(StringBuilder::toString).toList();
        }
    }

    private final Screen screen = new Screen(7);

    private void bars() {
        screen.print("$ evacuate\n[one]\n[two]\n");
    }

    @Test
    void insertsLinesAboveTheBarsAndLeavesTheCursorBelowThem() {
        bars();
        screen.print(AboveBars.text(2, 80, List.of("vm-1: wait", "vm-2: wait")));
        assertThat(screen.lines()).containsExactly("$ evacuate", "vm-1: wait", "vm-2: wait", "[one]", "[two]", "", "");
        assertThat(screen.row).isEqualTo(5);
    }

    @Test
    void scrollsWhenTheBarsStandAtTheBottom() {
        bars();
        screen.print(AboveBars.text(2, 80, List.of("a", "b")));
        screen.print(AboveBars.text(2, 80, List.of("c", "d")));
        screen.print(AboveBars.text(2, 80, List.of("e")));
        assertThat(screen.lines()).containsExactly("b", "c", "d", "e", "[one]", "[two]", "");
        assertThat(screen.row).isEqualTo(6);
    }

    @Test
    void breaksWhatIsWiderThanTheTerminalByItself() {
        bars();
        screen.print(AboveBars.text(2, 6, List.of("vm-1: wait")));
        assertThat(screen.lines()).containsExactly("$ evacuate", "vm-1: ", "wait", "[one]", "[two]", "", "");
    }

    @Test
    void printsNothingWhenThereIsNothingToSay() {
        assertThat(AboveBars.text(2, 80, List.of())).isEmpty();
    }
}
