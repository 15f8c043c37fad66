package io.godwit.evacuation;

import io.godwit.plan.Fleet;
import io.godwit.plan.Fleet.Reservation;
import io.godwit.plan.HostRoom;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What FleetView has shown, by name: an evacuation looks a few things up in it for each of its VMs, again and again. For one thread. */
final class FleetIndex {
    private final FleetShown shown;
    private final Map<String, HostView> hosts = new HashMap<>();
    private final Map<String, VmView> vms = new HashMap<>();
    private final Map<String, HostRoom> rooms = new HashMap<>();

    private FleetIndex(FleetShown shown) {
        this.shown = shown;
        shown.hosts().forEach(host -> hosts.put(host.host(), host));
        shown.vms().forEach(vm -> vms.put(vm.spec().name(), vm));
    }

    static FleetIndex of(FleetShown shown) {
        return new FleetIndex(shown);
    }

    FleetShown shown() {
        return shown;
    }

    Optional<VmView> vm(String name) {
        return Optional.ofNullable(vms.get(name));
    }

    /**
     * Whether a VM that has moved is still shown where it was: its hosts' latest reports are older than the end of a short migration, and
     * what they say of their room as well.
     */
    boolean stale(EvacuationRow row) {
        return row.state() == RowState.MOVED
                && vm(row.vm())
                        .filter(vm -> vm.host().filter(row.from()::equals).isPresent() && vm.epoch() <= row.epoch())
                        .isPresent();
    }

    /** A host that has reported. */
    Optional<HostView> host(String name) {
        return Optional.ofNullable(hosts.get(name))
                .filter(host -> host.inventory().isPresent());
    }

    /** Whether {@code host} may be there, though it has not been heard of since FleetView started. */
    boolean awaited(String host) {
        return shown.partial() && host(host).isEmpty();
    }

    /** What it has left; nothing for a host that is unknown. */
    Optional<HostRoom> room(String host) {
        HostView view = hosts.get(host);
        return view == null ? Optional.empty() : Optional.of(rooms.computeIfAbsent(host, _ -> Fleet.room(view)));
    }

    /** Why nothing may be placed on {@code host}, if so. */
    Optional<String> closed(String host) {
        return room(host).map(HostRoom::closed).orElse(Optional.of("is unknown"));
    }

    /** VMs that a migration takes away from a host on which others may be placed. */
    List<Reservation> leaving() {
        return shown.vms().stream()
                .filter(vm -> vm.migration().isPresent()
                        && vm.host().filter(host -> closed(host).isEmpty()).isPresent())
                .map(vm -> new Reservation(vm.spec(), vm.host().orElseThrow()))
                .toList();
    }
}
