package io.godwit.cli;

import io.godwit.fleet.VmHistory;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.HookSeen;
import java.util.List;

/** What the devices of a VM saw, as text for people: oldest first, a section per migration, then where it is now. */
final class HistoryText {
    private HistoryText() {}

    static String describe(VmHistory history) {
        StringBuilder text = new StringBuilder();
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
