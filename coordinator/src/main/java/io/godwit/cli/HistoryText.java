package io.godwit.cli;

import io.godwit.fleet.VmHistory;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.HookSeen;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * What became of a VM, as text for people: who owned it when, then what its devices saw, oldest first, a section per
 * migration, then where it is now.
 */
final class HistoryText {
    /** Of no time zone but UTC: what several people look at in several places is to be the same. */
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private HistoryText() {}

    static String describe(VmHistory history) {
        StringBuilder text = new StringBuilder(owners(history.owners()));
        for (VmHistory.Move move : history.migrations()) {
            MigrationView view = move.migration();
            text.append(view.id() + ": " + view.from() + " -> " + view.to() + ", " + view.phase()
                    + view.reason().map(why -> ": " + why).orElse("") + "\n");
            if (!view.steps().isEmpty()) {
                text.append(MigrationText.steps(view.steps()));
            }
            text.append(hooks(move.devices())).append("\n");
        }
        return text.append(history.host()
                        .map(host -> "on " + host + " now"
                                + history.trouble().map(why -> ": " + why).orElse("") + "\n")
                        .orElse("on no host now\n"))
                .append(hooks(history.devices()))
                .toString();
    }

    private static String owners(List<VmHistory.Owner> owners) {
        if (owners.isEmpty()) {
            return "";
        }
        Table table = new Table("SINCE", "OWNER", ">EPOCH", "WHY");
        for (VmHistory.Owner owner : owners) {
            table.row(
                    TIME.format(Instant.ofEpochMilli(owner.atMs())),
                    owner.host().orElse("nobody"),
                    String.valueOf(owner.epoch()),
                    owner.why());
        }
        return table.render() + "\n";
    }

    private static String hooks(List<DeviceLog> devices) {
        StringBuilder text = new StringBuilder();
        for (DeviceLog device : devices) {
            Table table =
                    new Table("DEVICE " + device.device() + " (" + device.model() + ")", "STATES", ">TIMES", "FAILURE");
            for (HookSeen hook : device.hooks()) {
                table.row(
                        hook.hook(),
                        String.join(" -> ", hook.states()),
                        String.valueOf(hook.times()),
                        hook.failure().orElse("-"));
            }
            text.append(table.row("(last)", device.state(), "-", "-").render());
        }
        return text.toString();
    }
}
