package io.godwit.migration;

import io.godwit.device.DeviceState;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

/** The state triples a path has published, in order, without repeats. Confined to one actor. */
final class StateTrail {
    private final List<StateTriple> triples = new ArrayList<>();
    private final int max;

    StateTrail(int max) {
        this.max = max;
    }

    /** Publishes a triple; several devices in different states are named together, in slot order. */
    void publish(RunState vm, MigrationStatus status, Collection<DeviceState> devices) {
        String bits = devices.isEmpty()
                ? "-"
                : devices.stream().map(DeviceState::bits).distinct().collect(Collectors.joining(","));
        StateTriple triple = new StateTriple(vm.name(), status.name(), bits);
        if (triples.size() < max && (triples.isEmpty() || !triples.getLast().equals(triple))) {
            triples.add(triple);
        }
    }

    /** The latest; only after the first was published. */
    StateTriple last() {
        return triples.getLast();
    }

    List<StateTriple> all() {
        return List.copyOf(triples);
    }
}
