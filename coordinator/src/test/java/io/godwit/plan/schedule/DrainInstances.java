package io.godwit.plan.schedule;

import io.godwit.plan.load.BtrPlaceFile;
import io.godwit.plan.model.PlanCase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/** The published drain instances and what BtrPlace plans for them. */
public final class DrainInstances {
    private static final Path FOLDER = Path.of("src/test/resources/drain-instances");

    private DrainInstances() {}

    /** What BtrPlace plans, in seconds. */
    public record Peer(double makespanSeconds, double meanEndSeconds) {}

    /** BtrPlace's figures by instance. */
    public static Map<String, Peer> peers() {
        Map<String, Peer> peers = new TreeMap<>();
        try (var lines = Files.lines(FOLDER.resolve("btrplace.csv"))) {
            lines.skip(1)
                    .map(line -> line.split(",", -1))
                    .forEach(cells ->
                            peers.put(cells[0], new Peer(Double.parseDouble(cells[1]), Double.parseDouble(cells[2]))));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return peers;
    }

    /** Reads one. */
    public static PlanCase read(String name) {
        return BtrPlaceFile.read(FOLDER.resolve(name + ".json.gz"));
    }
}
