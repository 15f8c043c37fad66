package io.godwit.fleet;

import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.vm.DeviceLog;
import java.util.List;
import java.util.Optional;

/**
 * What the devices of one VM saw, in order.
 *
 * @param vm its name
 * @param migrations past ones and the one under way, oldest first
 * @param host where it is now, if it is anywhere
 * @param devices what its devices on that host have seen so far, in slot order
 * @param trouble why that host could not be asked, if it could not
 */
public record VmHistory(
        String vm, List<Move> migrations, Optional<String> host, List<DeviceLog> devices, Optional<String> trouble) {
    public VmHistory {
        migrations = List.copyOf(migrations);
        devices = List.copyOf(devices);
    }

    /**
     * One migration of it.
     *
     * @param migration as it stands or ended
     * @param devices what the devices at its source had seen when the source let go; none unless it completed, for then they
     *     are at the source still
     */
    public record Move(MigrationView migration, List<DeviceLog> devices) {
        public Move {
            devices = List.copyOf(devices);
        }
    }
}
