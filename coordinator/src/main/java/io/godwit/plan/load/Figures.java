package io.godwit.plan.load;

import java.math.BigDecimal;

/** Numbers of a file. */
final class Figures {
    /** Nothing in a fleet is more: far from where sums overflow. */
    static final BigDecimal MOST = BigDecimal.valueOf(1L << 50);

    private Figures() {}

    /** As written; YAML allows underscores. What no number can be is more than {@link #MOST}. */
    static BigDecimal of(Located.Figure figure) {
        try {
            return new BigDecimal(figure.digits().replace("_", ""));
        } catch (NumberFormatException _) {
            return MOST.add(BigDecimal.ONE); // .inf, .nan, hexadecimal
        }
    }
}
