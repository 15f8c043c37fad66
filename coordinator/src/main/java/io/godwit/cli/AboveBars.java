package io.godwit.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * Text that appears above progress bars without disturbing them. The bars stand in the last lines, one each, and the cursor
 * in the line after them: as many lines are made room for there, and inserted above the first bar (ECMA-48: CUU, IL, CUD).
 */
final class AboveBars {
    private static final String ESCAPE = "\u001b[";

    private AboveBars() {}

    /**
     * What to print, in one piece, so that a bar drawn by another thread comes before or after it.
     *
     * @param bars how many are drawn
     * @param width of the terminal: a longer line is broken, for one that the terminal breaks would push the bars away
     */
    static String text(int bars, int width, List<String> lines) {
        List<String> rows = new ArrayList<>();
        lines.forEach(line -> rows.addAll(broken(line, Math.max(1, width))));
        if (rows.isEmpty()) {
            return "";
        }
        return "\n".repeat(rows.size())
                + ESCAPE + (bars + rows.size()) + "A\r"
                + ESCAPE + rows.size() + "L"
                + String.join("\n", rows)
                + ESCAPE + (bars + 1) + "B\r";
    }

    private static List<String> broken(String line, int width) {
        List<String> rows = new ArrayList<>();
        for (int at = 0; at < line.length(); at += width) {
            rows.add(line.substring(at, Math.min(line.length(), at + width)));
        }
        return rows;
    }
}
