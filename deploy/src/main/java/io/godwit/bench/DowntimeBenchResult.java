package io.godwit.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Locale;

/** All rows of {@link DowntimeBench} and what follows from them. */
record DowntimeBenchResult(String guest, boolean verify, String link, boolean ownCores, List<DowntimeCell> cells) {
    /** Share of promises to be kept. */
    private static final double KEPT_GOAL = 0.9;

    DowntimeBenchResult {
        cells = List.copyOf(cells);
    }

    private long counted() {
        return cells.stream()
                .filter(DowntimeCell::counts)
                .mapToLong(cell -> cell.made().size())
                .sum();
    }

    private long kept() {
        return cells.stream()
                .filter(DowntimeCell::counts)
                .mapToLong(DowntimeCell::kept)
                .sum();
    }

    /** Whether enough promises were kept, and every one that hides pages was flagged. */
    boolean meetsGoal() {
        return kept() >= KEPT_GOAL * counted()
                && cells.stream()
                        .filter(cell -> !cell.counts() && cell.pinnedMib > 0)
                        .allMatch(DowntimeCell::flagged);
    }

    String table(boolean parts) {
        StringBuilder text = new StringBuilder(String.format(
                Locale.ROOT,
                "standstills between two agents over %s, in ms; guest %s of %d MiB, gpu with %d MiB of state%s%s%n%n",
                link.equals("none") ? "loopback" : "a link of " + link + "/s",
                guest,
                DowntimeBench.RAM_MIB,
                DowntimeBench.STATE_MIB,
                verify ? ", digests compared" : "",
                ownCores ? "; each agent has its own cores" : "; both agents share the cores"));
        text.append(String.format(
                Locale.ROOT,
                "%-16s %10s %7s %10s %9s %9s %6s%n",
                "POLICY",
                "DIRTIES",
                "PINNED",
                "PREDICTED",
                "MEASURED",
                "WORST",
                "KEPT"));
        for (DowntimeCell cell : cells) {
            row(text, cell);
            if (parts) {
                cell.made().forEach(one -> parts(text, one));
            }
        }
        text.append(String.format(
                Locale.ROOT,
                "%nPERSISTENT and HARDWARE_TRACKED: %d of %d within %.0f %% or %.0f ms; goal: %.0f %%: %s%n",
                kept(),
                counted(),
                DowntimeCell.ERROR_SHARE * 100,
                DowntimeCell.ERROR_MS,
                KEPT_GOAL * 100,
                meetsGoal() ? "met" : "missed"));
        return text.toString();
    }

    private static void row(StringBuilder text, DowntimeCell cell) {
        DowntimeCell.Standstill median = cell.median();
        text.append(String.format(
                Locale.ROOT,
                "%-16s %10s %3d MiB %10.1f %9.1f %+9.1f %3d/%-2d%s%n",
                cell.policy,
                cell.dirtyMibPerSecond == 0 ? "idle" : cell.dirtyMibPerSecond + " MiB/s",
                cell.pinnedMib,
                median.predictedMs(),
                median.measuredMs(),
                cell.worstErrorMs(),
                cell.kept(),
                cell.made().size(),
                cell.flagged()
                        ? String.format(
                                Locale.ROOT,
                                "  not to be trusted: %.1f times what was predicted",
                                median.measuredMs() / Math.max(0.001, median.predictedMs()))
                        : ""));
    }

    private static void parts(StringBuilder text, DowntimeCell.Standstill one) {
        text.append(
                String.format(Locale.ROOT, "    %.1f predicted, %.1f measured:", one.predictedMs(), one.measuredMs()));
        for (StandstillPart part : StandstillPart.values()) {
            if (part != StandstillPart.TOTAL) {
                text.append(String.format(Locale.ROOT, " %s %.1f", part.title(), part.millis(one.measured())));
            }
        }
        text.append(String.format("%n"));
    }

    ObjectNode document(ObjectMapper mapper) {
        ObjectNode document = mapper.createObjectNode();
        document.put("guest", guest)
                .put("verify", verify)
                .put("link", link)
                .put("ownCores", ownCores)
                .put("ramBytes", DowntimeBench.RAM_MIB << 20);
        ArrayNode rows = document.putArray("rows");
        for (DowntimeCell cell : cells) {
            ObjectNode row = rows.addObject()
                    .put("policy", cell.policy)
                    .put("dirtyBytesPerSecond", cell.dirtyMibPerSecond << 20)
                    .put("pinnedBytes", cell.pinnedMib << 20)
                    .put("trustworthy", !cell.flagged())
                    .put("kept", cell.kept());
            ArrayNode runs = row.putArray("runs");
            for (DowntimeCell.Standstill one : cell.made()) {
                ObjectNode run = runs.addObject()
                        .put("predictedMs", one.predictedMs())
                        .put("measuredMs", one.measuredMs())
                        .put("kept", one.kept());
                ObjectNode measured = run.putObject("parts");
                for (StandstillPart part : StandstillPart.values()) {
                    measured.put(part.title(), part.millis(one.measured()));
                }
            }
        }
        return document.put("kept", kept()).put("counted", counted()).put("met", meetsGoal());
    }
}
