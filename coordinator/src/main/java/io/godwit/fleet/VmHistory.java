package io.godwit.fleet;

import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.vm.DeviceLog;
import java.util.List;
import java.util.Optional;

/**
 * What became of one VM: who owned it when and why it moved, and what its devices saw, in order.
 *
 * @param vm its name
 * @param owners from the ledger's journal, oldest first
 * @param migrations past ones and the one under way, oldest first
 * @param host where it is now, if it is anywhere
 * @param devices what its devices on that host have seen so far, in slot order
 * @param trouble why that host could not be asked, if it could not
 */
public record VmHistory(
        String vm,
        List<Owner> owners,
        List<Move> migrations,
        Optional<String> host,
        List<DeviceLog> devices,
        Optional<String> trouble) {
    public VmHistory {
        owners = List.copyOf(owners);
        migrations = List.copyOf(migrations);
        devices = List.copyOf(devices);
    }

    /**
     * From when on who might run it.
     *
     * @param atMs when that was written, milliseconds since 1970 UTC, by the clock of the coordinator that wrote it
     * @param host who; empty for nobody
     * @param epoch under which grant, or the last one when there is nobody
     * @param why what led to it
     */
    public record Owner(long atMs, Optional<String> host, long epoch, String why) {}

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
