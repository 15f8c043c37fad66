package io.godwit.plan.schedule;

import java.util.Arrays;

/** Lists of whole numbers (with an amount each) in one array, written in order: {@code add...}, then {@code endOfList}. */
final class Ranges {
    private int[] values = new int[16];
    private long[] amounts = new long[16];
    private int[] starts = new int[16];
    private int used;
    private int lists;

    void add(int value, long amount) {
        if (used == values.length) {
            values = Arrays.copyOf(values, 2 * used);
            amounts = Arrays.copyOf(amounts, 2 * used);
        }
        values[used] = value;
        amounts[used++] = amount;
    }

    void endOfList() {
        if (lists + 1 == starts.length) {
            starts = Arrays.copyOf(starts, 2 * starts.length);
        }
        starts[++lists] = used;
    }

    int[] starts() {
        return Arrays.copyOf(starts, lists + 1);
    }

    int[] values() {
        return Arrays.copyOf(values, used);
    }

    long[] amounts() {
        return Arrays.copyOf(amounts, used);
    }

    long[] toLongs() {
        return amounts();
    }
}
