package io.godwit.evacuation;

import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.plan.HostRoom;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.HostView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whose turn it is in an evacuation, and for what the others wait. A VM starts in the plan's order when the limits of both of its
 * hosts allow it and there is room for it, not by the clock. Pure; made for one look at the fleet.
 */
final class Turns {
    private final Running state;
    private final FleetIndex fleet;
    private final Set<String> own = new HashSet<>();
    private final boolean idle;
    private final Flights present;

    Turns(Running state, FleetIndex fleet) {
        this.state = state;
        this.fleet = fleet;
        state.rows().forEach(row -> own.addAll(row.migrations()));
        idle = state.rows().stream().noneMatch(row -> row.state() == RowState.MIGRATING);
        present = new Flights();
    }

    /** What is in flight, and what that takes of its hosts. */
    private final class Flights {
        private final Map<String, Integer> leaving = new HashMap<>();
        private final Map<String, Integer> arriving = new HashMap<>();
        private final Map<String, HostRoom> rooms = new HashMap<>();

        Flights() {
            state.rows().stream()
                    .filter(row -> row.state() == RowState.MIGRATING)
                    .forEach(this::add);
            state.rows().stream().filter(fleet::stale).forEach(this::takeRoom);
        }

        final void add(EvacuationRow row) {
            leaving.merge(row.from(), 1, Integer::sum);
            arriving.merge(row.to().orElseThrow(), 1, Integer::sum);
            takeRoom(row);
        }

        private void takeRoom(EvacuationRow row) {
            String to = row.to().orElseThrow();
            room(to).filter(room -> !room.holds(row.vm())).ifPresent(room -> rooms.put(to, room.plus(row.spec())));
        }

        Optional<HostRoom> room(String host) {
            return Optional.ofNullable(rooms.get(host)).or(() -> fleet.room(host));
        }

        /** What keeps a VM from its turn: its destination has no room for it yet, with what is on its way there. */
        Optional<String> noRoom(EvacuationRow row) {
            String to = row.to().orElseThrow();
            return room(to).filter(room -> !room.holds(row.vm()))
                    .map(room -> room.crowded(row.spec()))
                    .filter(lacks -> !lacks.isEmpty())
                    .map(lacks -> "waits for room: host " + to + " "
                            + lacks.getFirst()
                                    .found()
                                    .replace("%s", lacks.getFirst().noun()));
        }

        /** What keeps it from its turn: a limit of one of its hosts. */
        Optional<String> noSlot(EvacuationRow row) {
            String to = row.to().orElseThrow();
            Optional<HostView> source = fleet.host(row.from());
            Optional<HostView> destination = fleet.host(to);
            if (source.isEmpty() || destination.isEmpty()) {
                return Optional.of("waits for word of host " + (source.isEmpty() ? row.from() : to));
            }
            int out = source.get().inventory().orElseThrow().capacity().outgoingMax();
            int in = destination.get().inventory().orElseThrow().capacity().incomingMax();
            if (leaving.getOrDefault(row.from(), 0) + others(source.get(), false) >= out) {
                return Optional.of("waits its turn: host " + row.from() + " sends " + out + " at a time");
            }
            return arriving.getOrDefault(to, 0) + others(destination.get(), true) >= in
                    ? Optional.of("waits its turn: host " + to + " takes " + in + " at a time")
                    : Optional.empty();
        }

        /** What keeps a waiting VM with a destination from its turn, if anything does. */
        Optional<String> obstacle(EvacuationRow row) {
            return elsewhere(row).or(() -> noSlot(row)).or(() -> noRoom(row));
        }
    }

    /** Waiting VMs whose turn it is: within the limits of both hosts, other migrations there counted. */
    List<EvacuationRow> startable() {
        List<EvacuationRow> turn = new ArrayList<>();
        Flights flights = new Flights();
        for (EvacuationRow row : state.rows()) {
            if (waits(row) && flights.obstacle(row).isEmpty()) {
                turn.add(row);
                flights.add(row);
            }
        }
        return turn;
    }

    /** How it stands, and for what each VM without another reason waits. */
    EvacuationView explained(EvacuationView view) {
        Map<String, EvacuationRow> rows = new HashMap<>();
        state.rows().forEach(row -> rows.put(row.vm(), row));
        List<VmRow> shown = new ArrayList<>();
        for (VmRow row : view.vms()) {
            Optional<String> waits =
                    Optional.ofNullable(rows.get(row.vm())).filter(Turns::waits).flatMap(present::obstacle);
            shown.add(new VmRow(
                    row.vm(),
                    row.from(),
                    row.to(),
                    row.state(),
                    row.migrations(),
                    waits.map(why -> row.reason().map(was -> was + "; " + why).orElse(why))
                            .or(row::reason),
                    row.makesRoomFor()));
        }
        return new EvacuationView(view.id(), view.hosts(), view.state(), shown, view.durationMs());
    }

    /**
     * Whether the destination of a waiting VM has no room for it, and nothing is on its way that could make some: no migration there, and
     * none that will start from there by itself.
     */
    boolean hopeless(EvacuationRow row) {
        return idle && !mayGetRoom(row, new HashSet<>());
    }

    /** @param asked those whose way out has been looked for: who waits for each other in a circle waits for ever */
    private boolean mayGetRoom(EvacuationRow row, Set<String> asked) {
        String to = row.to().orElseThrow();
        if (present.noRoom(row).isEmpty() || busy(to)) {
            return true;
        }
        asked.add(row.vm());
        return state.rows().stream()
                .filter(other -> waits(other) && other.from().equals(to) && !asked.contains(other.vm()))
                .filter(other -> fleet.closed(other.to().orElseThrow()).isEmpty())
                .anyMatch(other -> mayGetRoom(other, asked));
    }

    private boolean busy(String host) {
        return state.rows().stream().anyMatch(row -> row.from().equals(host) && fleet.stale(row))
                || fleet.host(host).stream()
                        .flatMap(view -> view.inventory().orElseThrow().vms().stream())
                        .anyMatch(vm -> vm.migration().isPresent());
    }

    /** Whether those that wait for the place of a VM that is to make room do not all fit without that. */
    boolean needed(EvacuationRow extra) {
        Optional<HostRoom> room = present.room(extra.from());
        for (EvacuationRow row : state.rows()) {
            if (waits(row) && row.to().filter(extra.from()::equals).isPresent() && room.isPresent()) {
                if (!room.get().crowded(row.spec()).isEmpty()) {
                    return true;
                }
                room = room.map(left -> left.holds(row.vm()) ? left : left.plus(row.spec()));
            }
        }
        return false;
    }

    private static boolean waits(EvacuationRow row) {
        return row.state() == RowState.WAITING && row.to().isPresent();
    }

    /** What keeps it from its turn, whatever its hosts' limits are. */
    private Optional<String> elsewhere(EvacuationRow row) {
        return busyElsewhere(row).or(() -> outOfSight(row)).or(() -> closed(row));
    }

    /** The migration of somebody else that moves it, if one does. */
    private Optional<String> busyElsewhere(EvacuationRow row) {
        return fleet.vm(row.vm()).stream()
                .flatMap(vm -> vm.migration().stream())
                .filter(migration -> !row.migrations().contains(migration))
                .findFirst()
                .map(migration -> "waits for the end of migration " + migration);
    }

    /** A QEMU guest whose agent is away may well run, and can be moved once the agent is back: not before. */
    private Optional<String> outOfSight(EvacuationRow row) {
        return fleet.vm(row.vm())
                .filter(vm -> vm.spec().outlivesAgent() && vm.state().equals("UNKNOWN"))
                .map(vm -> "waits for the agent: " + vm.failure().orElse("its host cannot be reached"));
    }

    /** A plan may be older than what has become of its destinations: nothing starts before another one is found. */
    private Optional<String> closed(EvacuationRow row) {
        return fleet.closed(row.to().orElseThrow())
                .map(why -> "waits for another destination: host " + row.to().orElseThrow() + " " + why);
    }

    /** Migrations of others that {@code host} takes part in. */
    private long others(HostView host, boolean incoming) {
        return host.inventory().orElseThrow().vms().stream()
                .filter(vm -> vm.incoming() == incoming
                        && vm.migration().filter(id -> !own.contains(id)).isPresent())
                .count();
    }
}
