package io.godwit.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.cli.Table;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.units.Units;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The demo's outcome as one JSON document, and for people. */
final class DemoReport {
    private DemoReport() {}

    static ObjectNode document(DemoOutcome outcome) {
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        ObjectNode evacuation = document.putObject("evacuation");
        evacuation.put("state", outcome.evacuation().state());
        ArrayNode hosts = evacuation.putArray("hosts");
        outcome.evacuation().hosts().forEach(hosts::add);
        evacuation.put("moved", moved(outcome));
        evacuation.put("failed", outcome.evacuation().vms().size() - moved(outcome));
        evacuation.put("durationMs", outcome.evacuation().durationMs());
        ArrayNode migrations = document.putArray("migrations");
        outcome.migrations().values().forEach(view -> migration(migrations.addObject(), view, outcome));
        ObjectNode owners = document.putObject("owners");
        outcome.owners()
                .forEach((vm, owner) -> owners.putObject(vm)
                        .put("host", owner.host().orElse(null))
                        .put("epoch", owner.epoch())
                        .put(
                                "runningInstances",
                                outcome.running().getOrDefault(vm, List.of()).size()));
        ArrayNode checks = document.putArray("checks");
        outcome.checks()
                .forEach(check -> checks.addObject()
                        .put("name", check.name())
                        .put("ok", check.ok())
                        .put("detail", check.detail()));
        document.put("totalMs", outcome.totalMillis());
        return document;
    }

    private static void migration(ObjectNode into, MigrationView view, DemoOutcome outcome) {
        into.put("vm", view.vm())
                .put("from", view.from())
                .put("to", view.to())
                .put("driver", view.driver())
                .put("state", view.phase().name())
                .put("ramBytes", view.stats().ramBytes())
                .put("deviceBytes", view.stats().deviceBytesSent())
                .put("transferredBytes", view.stats().transferredBytes())
                .put("iterations", view.stats().iterations())
                .put("dirtiedPages", view.stats().dirtiedPages())
                .put("predictedDowntimeMs", view.stats().predictedDowntimeMicros() / 1000.0)
                .put("downtimeMs", view.downtime().totalMicros() / 1000.0)
                .put("verified", view.verified())
                .put("ruleHolds", holds(outcome.guests().get(view.vm())));
        ArrayNode states = into.putArray("states");
        for (StateTriple state : view.states()) {
            states.addArray().add(state.vm()).add(state.migration()).add(state.device());
        }
    }

    static String text(DemoOutcome outcome) {
        Table table = new Table(
                "VM",
                "FROM",
                "TO",
                "DRIVER",
                ">PREDICTED",
                ">DOWNTIME",
                "STOP/SYNC/RAM/DEVICES/LOAD/COMMIT/RESUME ms",
                ">SENT",
                ">PASSES",
                ">DIRTIED",
                "VERIFIED",
                "RULE");
        for (MigrationView view : outcome.migrations().values()) {
            table.row(
                    view.vm(),
                    view.from(),
                    view.to(),
                    view.driver(),
                    Units.millisOf(view.stats().predictedDowntimeMicros()),
                    Units.millisOf(view.downtime().totalMicros()),
                    parts(view.downtime()),
                    Units.size(view.stats().transferredBytes()),
                    String.valueOf(view.stats().iterations()),
                    // QEMU counts no pages that it has found dirty again
                    qemu(view) ? "-" : view.stats().dirtiedPages() + " pages",
                    view.verified() ? "yes" : qemu(view) ? "no" : "NO",
                    holds(outcome.guests().get(view.vm())) ? "holds" : "BROKEN");
        }
        StringBuilder text = new StringBuilder(table.render());
        outcome.migrations().values().stream().findFirst().ifPresent(view -> {
            text.append("\nStates of ").append(view.vm()).append(" (VM, migration, device):\n");
            view.states()
                    .forEach(state ->
                            text.append("  (%s, %s, %s)\n".formatted(state.vm(), state.migration(), state.device())));
        });
        text.append('\n');
        for (Check check : outcome.checks()) {
            text.append(check.ok() ? "ok      " : "FAILED  ").append(check.name());
            text.append(check.ok() || check.detail().isEmpty() ? "" : ": " + check.detail())
                    .append('\n');
        }
        text.append(String.format(
                Locale.ROOT,
                "%n%d of %d VMs left %s in %.1f s; %d of %d checks hold; %.1f s in all%n",
                moved(outcome),
                outcome.evacuation().vms().size(),
                String.join(", ", outcome.evacuation().hosts()),
                outcome.evacuation().durationMs() / 1000.0,
                outcome.checks().size() - outcome.failed().size(),
                outcome.checks().size(),
                outcome.totalMillis() / 1000.0));
        return text.toString();
    }

    private static boolean qemu(MigrationView view) {
        return view.driver().equals(QemuSpec.DRIVER);
    }

    private static String parts(Downtime time) {
        return String.format(
                Locale.ROOT,
                "%.1f/%.1f/%.1f/%.1f/%.1f/%.1f/%.1f",
                time.stopMicros() / 1000.0,
                time.lastSyncMicros() / 1000.0,
                time.lastRamMicros() / 1000.0,
                time.deviceMicros() / 1000.0,
                time.loadMicros() / 1000.0,
                time.commitMicros() / 1000.0,
                time.resumeMicros() / 1000.0);
    }

    private static boolean holds(@Nullable GuestCheck check) {
        return check != null && check.holds();
    }

    private static long moved(DemoOutcome outcome) {
        return outcome.evacuation().vms().stream()
                .filter(row -> row.state().equals("MOVED"))
                .count();
    }
}
