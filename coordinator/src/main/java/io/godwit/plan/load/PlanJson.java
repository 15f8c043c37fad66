package io.godwit.plan.load;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.plan.check.Violation;
import io.godwit.plan.model.BatchPlan;
import io.godwit.plan.model.BatchPlan.Unmoved;
import io.godwit.plan.model.PlanCase;
import io.godwit.plan.model.PlanVm;
import io.godwit.plan.model.ScheduledMove;
import io.godwit.plan.model.ScheduledMove.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A finished plan as JSON, written and read. Times are in milliseconds but for the summary at the top, in seconds. */
public final class PlanJson {
    private PlanJson() {}

    /**
     * A plan for people and programs.
     *
     * @param planningMillis how long planning took, ms
     * @param violations what the checker found; the plan is sound when empty
     */
    public static ObjectNode write(PlanCase plan, BatchPlan result, long planningMillis, List<Violation> violations) {
        ObjectNode node = JsonMapper.builder().build().createObjectNode();
        node.put("makespanSeconds", result.makespanMs() / 1000.0);
        node.put("lowerBoundSeconds", result.lowerBoundMs() / 1000.0);
        node.put("meanEndSeconds", Math.round(result.meanEndMs()) / 1000.0);
        node.put("planningMillis", planningMillis);
        node.put("checked", violations.isEmpty());
        node.put("complete", result.unmoved().isEmpty());
        Map<String, PlanVm> vms = plan.vmsByName();
        ArrayNode moves = node.putArray("moves");
        for (ScheduledMove move : result.moves()) {
            ObjectNode each = moves.addObject();
            each.put("vm", move.vm()).put("from", move.from()).put("to", move.to());
            each.put("startMs", move.startMs())
                    .put("endMs", move.endMs())
                    .put("durationMs", move.endMs() - move.startMs());
            PlanVm vm = vms.get(move.vm());
            if (vm != null) {
                each.put(
                        "blackoutMs",
                        plan.transfer()
                                .blackoutMs(vm.ram(), move.shares().getLast().mbitPerSecond()));
                each.put("bytes", bytes(plan, move));
            }
            if (!move.slots().isEmpty()) {
                ObjectNode slots = each.putObject("slots");
                new TreeMap<>(move.slots()).forEach((pool, numbers) -> {
                    ArrayNode list = slots.putArray(pool);
                    numbers.forEach(list::add);
                });
            }
            ArrayNode shares = each.putArray("shares");
            move.shares()
                    .forEach(share -> shares.addObject()
                            .put("fromMs", share.fromMs())
                            .put("mbitPerSecond", share.mbitPerSecond()));
        }
        ArrayNode unmoved = node.putArray("unmoved");
        result.unmoved()
                .forEach(each -> unmoved.addObject()
                        .put("vm", each.vm())
                        .put("reason", each.reason())
                        .put("remedy", each.remedy()));
        ArrayNode broken = node.putArray("violations");
        violations.forEach(each -> broken.addObject()
                .put("atMs", each.atMs())
                .put("kind", each.kind().name())
                .put("message", each.message()));
        return node;
    }

    /** Guest memory that goes over the wire, pages sent again included. */
    private static long bytes(PlanCase plan, ScheduledMove move) {
        double mbit = 0;
        for (int s = 0; s < move.shares().size(); s++) {
            Share share = move.shares().get(s);
            long until = s + 1 < move.shares().size() ? move.shares().get(s + 1).fromMs() : move.endMs();
            mbit += share.mbitPerSecond() * ((until - share.fromMs()) / 1000.0);
        }
        return (long) (mbit * 1_000_000 / plan.transfer().wireBitsPerByte());
    }

    /**
     * Reads what {@link #write} wrote; of the rest of the file, what it does not know is passed over.
     *
     * @throws InputProblem naming the file, the line or field, and what was expected
     */
    public static BatchPlan read(Path path) {
        String file = path.toString();
        JsonNode root;
        try {
            root = JsonMapper.builder().build().readTree(InputBytes.read(path));
        } catch (JsonProcessingException e) {
            throw InputProblem.unreadable(file, "JSON", e);
        } catch (IOException e) {
            throw new InputProblem(file + ": " + e.getMessage());
        }
        if (!root.path("moves").isArray()) {
            throw InputProblem.field(
                    file, "moves", "missing; expected a plan, as 'godwit plan --output json' prints it");
        }
        List<ScheduledMove> moves = new ArrayList<>();
        for (JsonNode move : root.path("moves")) {
            String at = "moves[" + moves.size() + "].";
            List<Share> shares = new ArrayList<>();
            for (JsonNode share : move.path("shares")) {
                String in = at + "shares[" + shares.size() + "].";
                shares.add(new Share(number(file, share, in, "fromMs"), number(file, share, in, "mbitPerSecond")));
            }
            moves.add(new ScheduledMove(
                    text(file, move, at, "vm"),
                    text(file, move, at, "from"),
                    text(file, move, at, "to"),
                    slots(file, move, at),
                    number(file, move, at, "startMs"),
                    number(file, move, at, "endMs"),
                    shares));
        }
        List<Unmoved> unmoved = new ArrayList<>();
        for (JsonNode each : root.path("unmoved")) {
            unmoved.add(new Unmoved(
                    text(file, each, "unmoved[" + unmoved.size() + "].", "vm"),
                    each.path("reason").asText(),
                    each.path("remedy").asText()));
        }
        return new BatchPlan(
                moves, unmoved, millis(file, root, "makespanSeconds"), millis(file, root, "lowerBoundSeconds"));
    }

    private static Map<String, List<Integer>> slots(String file, JsonNode move, String at) {
        Map<String, List<Integer>> slots = new TreeMap<>();
        for (Map.Entry<String, JsonNode> pool : move.path("slots").properties()) {
            List<Integer> numbers = new ArrayList<>();
            for (JsonNode number : pool.getValue()) {
                if (!number.isInt()) {
                    throw InputProblem.field(
                            file, at + "slots." + pool.getKey(), "'" + number + "'; expected a slot's number");
                }
                numbers.add(number.asInt());
            }
            slots.put(pool.getKey(), numbers);
        }
        return slots;
    }

    private static long millis(String file, JsonNode node, String field) {
        if (!node.path(field).isNumber()) {
            throw InputProblem.field(file, field, "missing; expected a number of seconds");
        }
        return Math.round(node.path(field).asDouble() * 1000);
    }

    private static long number(String file, JsonNode node, String at, String field) {
        if (!node.path(field).isIntegralNumber()) {
            throw InputProblem.field(file, at + field, "missing or no whole number");
        }
        return node.path(field).asLong();
    }

    private static String text(String file, JsonNode node, String at, String field) {
        if (!node.path(field).isTextual()) {
            throw InputProblem.field(file, at + field, "missing or no text");
        }
        return node.path(field).asText();
    }
}
