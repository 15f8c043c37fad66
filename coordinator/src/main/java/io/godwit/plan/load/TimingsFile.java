package io.godwit.plan.load;

import io.godwit.plan.model.Calibration.Measured;
import io.godwit.plan.model.RamProfile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Measured migrations, comma-separated with a first line of names: {@code usedMb}, {@code hotMb}, {@code hotSeconds}, {@code
 * coldMbPerSecond}, {@code mbit} and {@code seconds}; other columns are passed over. Plain or gzip.
 */
public final class TimingsFile {
    private TimingsFile() {}

    /**
     * Reads a file.
     *
     * @throws InputProblem naming the file, the line and the field
     */
    public static List<Measured> read(Path path) {
        List<Measured> measured = new ArrayList<>();
        for (CsvRow row : CsvRow.read(path)) {
            long durationMs = Math.round(row.decimal("seconds") * 1000);
            if (durationMs <= 0 || row.number("mbit") == 0) {
                throw InputProblem.line(row.file(), row.line(), "field 'seconds' or 'mbit' is 0; expected more");
            }
            try {
                measured.add(new Measured(
                        new RamProfile(
                                row.decimal("usedMb"),
                                row.decimal("hotMb"),
                                row.decimal("hotSeconds"),
                                row.decimal("coldMbPerSecond")),
                        row.number("mbit"),
                        durationMs));
            } catch (IllegalArgumentException e) {
                throw InputProblem.line(row.file(), row.line(), String.valueOf(e.getMessage()));
            }
        }
        if (measured.isEmpty()) {
            throw new InputProblem(path + ": no migration in it; expected a line for each");
        }
        return measured;
    }
}
