package io.godwit.cli;

import java.util.ArrayList;
import java.util.List;

/** Aligned text columns: a header, then rows; two spaces between columns; columns of numbers to the right. */
public final class Table {
    private final List<String> header;
    private final boolean[] right;
    private final List<List<String>> rows = new ArrayList<>();

    /** Columns in order; a name that begins with {@code >} is aligned to the right (and shown without it). */
    public Table(String... columns) {
        List<String> names = new ArrayList<>();
        right = new boolean[columns.length];
        for (int i = 0; i < columns.length; i++) {
            right[i] = columns[i].startsWith(">");
            names.add(right[i] ? columns[i].substring(1) : columns[i]);
        }
        header = List.copyOf(names);
    }

    /**
     * Adds a row.
     *
     * @throws IllegalArgumentException when it has not one cell per column
     */
    public Table row(String... cells) {
        if (cells.length != header.size()) {
            throw new IllegalArgumentException(cells.length + " cells for " + header.size() + " columns");
        }
        List<String> row = new ArrayList<>();
        for (String cell : cells) {
            // a line break inside a cell would break the columns of all that follows
            row.add(cell.isEmpty() ? "-" : cell.replaceAll("\\R", " "));
        }
        rows.add(row);
        return this;
    }

    /** The text, each line ended by a line feed, without spaces at line ends. */
    public String render() {
        int[] widths = new int[header.size()];
        measure(header, widths);
        rows.forEach(row -> measure(row, widths));
        StringBuilder text = new StringBuilder();
        append(text, header, widths);
        rows.forEach(row -> append(text, row, widths));
        return text.toString();
    }

    private static void measure(List<String> row, int[] widths) {
        for (int i = 0; i < widths.length; i++) {
            widths[i] = Math.max(widths[i], width(row.get(i)));
        }
    }

    private void append(StringBuilder text, List<String> row, int[] widths) {
        StringBuilder line = new StringBuilder();
        for (int i = 0; i < widths.length; i++) {
            String cell = row.get(i);
            String padding = " ".repeat(widths[i] - width(cell));
            line.append(i == 0 ? "" : "  ").append(right[i] ? padding + cell : cell + padding);
        }
        text.append(line.toString().stripTrailing()).append('\n');
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
