package io.godwit.plan.load;

import java.util.List;

/**
 * One line of a file with comma-separated values.
 *
 * @param line counted from 1
 * @param columns names of its cells
 */
record CsvRow(String file, int line, List<String> columns, List<String> cells) {
    /** A cell; an {@link InputProblem} when there is no such column or the line is too short. */
    String text(String column) {
        int at = columns.indexOf(column);
        if (at < 0 || at >= cells.size()) {
            throw InputProblem.line(file, line, "field '" + column + "': missing");
        }
        return cells.get(at).strip();
    }

    /** A whole number from 0; an {@link InputProblem} when it is none. */
    long number(String column) {
        try {
            long number = Long.parseLong(text(column));
            if (number >= 0 && number <= 1L << 50) {
                return number;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        throw InputProblem.line(
                file, line, "field '" + column + "': '" + text(column) + "'; expected a whole number from 0");
    }
}
