package io.godwit.plan.load;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of a file with comma-separated values.
 *
 * @param line counted from 1
 * @param columns names of its cells
 */
record CsvRow(String file, int line, List<String> columns, List<String> cells) {
    /**
     * All lines of a file but the first, which names its columns.
     *
     * @throws InputProblem when it cannot be read or has no line
     */
    static List<CsvRow> read(Path path) {
        String file = path.toString();
        List<String> lines = new String(InputBytes.read(path), StandardCharsets.UTF_8)
                .lines()
                .toList();
        if (lines.isEmpty()) {
            throw InputProblem.line(file, 1, "empty; expected a line with the names of columns");
        }
        List<String> columns = List.of(lines.getFirst().split(",", -1));
        List<CsvRow> rows = new ArrayList<>();
        for (int l = 1; l < lines.size(); l++) {
            rows.add(new CsvRow(file, l + 1, columns, List.of(lines.get(l).split(",", -1))));
        }
        return rows;
    }

    /** A number from 0; an {@link InputProblem} when it is none. */
    double decimal(String column) {
        try {
            double number = Double.parseDouble(text(column));
            if (number >= 0 && number <= 1L << 50) {
                return number;
            }
        } catch (NumberFormatException _) {
            // said below
        }
        throw InputProblem.line(file, line, "field '" + column + "': '" + text(column) + "'; expected a number from 0");
    }

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
