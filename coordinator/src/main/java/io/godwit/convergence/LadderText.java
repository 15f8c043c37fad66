package io.godwit.convergence;

import io.godwit.units.Units;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads the text form of a {@link Ladder}. Every error names the step, by number and as written, and what was expected. */
final class LadderText {
    /** Words that a step begins with: no policy may be named so. */
    static final Set<String> STEPS =
            Set.of("wait", "bandwidth", "throttle", "downtime", "stop-and-copy", "postcopy", "give-up");

    /** A ladder longer than this is a mistake: with holds of a second it would outlast any deadline. */
    private static final int STEPS_MAX = 100;

    private static final String EXPECTED = "one of wait:TIME, bandwidth:RATE:TIME, bandwidth:unlimited:TIME,"
            + " throttle:PERCENT:TIME, downtime:TIME:TIME, downtime:budget:TIME, stop-and-copy, postcopy, give-up";
    private static final Pattern PERCENT = Pattern.compile("(\\d{1,3})%");

    private final int number;
    private final String step;
    private final boolean last;

    private LadderText(int number, String step, boolean last) {
        this.number = number;
        this.step = step;
        this.last = last;
    }

    static Ladder read(String text) {
        if (text.isBlank()) {
            return Ladder.NONE;
        }
        String[] steps = text.split(",", -1);
        if (steps.length > STEPS_MAX) {
            throw new IllegalArgumentException(
                    "a convergence ladder of " + steps.length + " steps; expected at most " + STEPS_MAX);
        }
        List<Rung> rungs = new ArrayList<>();
        for (int i = 0; i < steps.length; i++) {
            rungs.add(new LadderText(i + 1, steps[i].strip(), i == steps.length - 1).rung());
        }
        return new Ladder(rungs);
    }

    private Rung rung() {
        String[] parts = step.split(":", -1);
        for (int i = 0; i < parts.length; i++) {
            parts[i] = parts[i].strip();
        }
        return switch (parts[0]) {
            case "wait" -> timed(parts, 1, new LadderStep.Wait());
            case "bandwidth" -> timed(parts, 2, new LadderStep.Bandwidth(bandwidth(amount(parts))));
            case "throttle" -> timed(parts, 2, new LadderStep.Throttle(percent(amount(parts))));
            case "downtime" -> timed(parts, 2, new LadderStep.Downtime(downtime(amount(parts))));
            case "stop-and-copy" -> ending(parts, new LadderStep.StopAndCopy());
            case "postcopy" -> ending(parts, new LadderStep.Postcopy());
            case "give-up" -> ending(parts, new LadderStep.GiveUp());
            default -> throw wrong("is no step", EXPECTED);
        };
    }

    private String amount(String[] parts) {
        if (parts.length < 2) {
            throw wrong("says not how much", EXPECTED);
        }
        return parts[1];
    }

    private long bandwidth(String text) {
        if (text.equals("unlimited")) {
            return 0;
        }
        long rate = number(text, Units::bytesPerSecond);
        if (rate < Ladder.BANDWIDTH_BYTES_MIN) {
            throw wrong("is too slow to make progress", "unlimited, or 1MiB/s or more");
        }
        return rate;
    }

    private int percent(String text) {
        Matcher matcher = PERCENT.matcher(text);
        int percent = matcher.matches() ? Integer.parseInt(matcher.group(1)) : 0;
        if (percent < 1 || percent > 99) {
            throw wrong("holds the vCPUs back by '" + text + "'", "1% to 99%, such as throttle:30%:10s");
        }
        return percent;
    }

    private long downtime(String text) {
        return text.equals("budget") ? LadderStep.BUDGET : positive(number(text, Units::millis), "a limit");
    }

    /** A step that goes on; {@code before} parts come before the hold time. */
    private Rung timed(String[] parts, int before, LadderStep taken) {
        if (parts.length > before + 1) {
            throw wrong("has too many parts", "nothing after the hold time");
        }
        if (parts.length == before) {
            if (!last) {
                throw wrong(
                        "has no hold time, which only the last step may leave out",
                        "one such as " + taken.text() + ":10s");
            }
            return new Rung(taken, Rung.UNTIL_DEADLINE);
        }
        return new Rung(taken, positive(number(parts[before], Units::millis), "a hold time"));
    }

    /** A step after which there is no other. */
    private Rung ending(String[] parts, LadderStep taken) {
        if (parts.length > 1) {
            throw wrong("takes nothing after its name", "'" + parts[0] + "'");
        }
        if (!last) {
            throw wrong("ends a ladder", "it as the last step");
        }
        return new Rung(taken, Rung.UNTIL_DEADLINE);
    }

    private long positive(long millis, String what) {
        if (millis < 1) {
            throw wrong("has " + what + " of " + millis + " ms", "1ms or more");
        }
        return millis;
    }

    private long number(String text, ToLongFunction<String> reader) {
        try {
            return reader.applyAsLong(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "step " + number + " '" + step + "' of the convergence ladder: " + e.getMessage(), e);
        }
    }

    private IllegalArgumentException wrong(String what, String expected) {
        return new IllegalArgumentException(
                "step " + number + " '" + step + "' of the convergence ladder " + what + "; expected " + expected);
    }
}
