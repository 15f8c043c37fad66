package io.godwit.evacuation;

import io.godwit.evacuation.EvacuationEvent.EvacuationFinished;
import io.godwit.evacuation.EvacuationEvent.EvacuationPlanned;
import io.godwit.evacuation.EvacuationEvent.EvacuationRequested;
import io.godwit.evacuation.EvacuationEvent.VmMigrationSettled;
import io.godwit.evacuation.EvacuationEvent.VmMigrationStarted;
import io.godwit.evacuation.EvacuationEvent.VmReplanned;
import io.godwit.proto.KryoMessage;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Where one evacuation stands.
 *
 * <pre>
 * Unasked --EvacuationRequested--> Planning --EvacuationPlanned--> Running --EvacuationFinished--> Ended
 * </pre>
 *
 * While Running, the other events change single rows, and a later EvacuationPlanned adds VMs that have come to the hosts
 * meanwhile.
 */
public sealed interface EvacuationState extends KryoMessage {
    /** Nobody has asked for it. */
    record Unasked(String id) implements EvacuationState {}

    /** What all states of a requested evacuation know. */
    sealed interface Asked extends EvacuationState {
        /** What was asked for. */
        EvacuationJob job();

        /** The VMs, in plan order. */
        List<EvacuationRow> rows();
    }

    /** Its hosts are being cordoned, then planned for. */
    record Planning(EvacuationJob job) implements Asked {
        @Override
        public List<EvacuationRow> rows() {
            return List.of();
        }
    }

    /** VMs are being moved. */
    record Running(EvacuationJob job, List<EvacuationRow> rows) implements Asked {
        public Running {
            rows = List.copyOf(rows);
        }

        private Running change(String vm, UnaryOperator<EvacuationRow> change) {
            if (row(this, vm).isEmpty()) {
                throw new IllegalStateException("no vm '" + vm + "' in " + this);
            }
            return new Running(
                    job,
                    rows.stream()
                            .map(row -> row.vm().equals(vm) ? change.apply(row) : row)
                            .toList());
        }
    }

    /** Nothing more will happen. */
    record Ended(EvacuationJob job, List<EvacuationRow> rows, boolean completed, long endedAtMs) implements Asked {
        public Ended {
            rows = List.copyOf(rows);
        }
    }

    /** What was asked for; {@code makeRoom} allows VMs of other hosts to be moved; {@code startedAtMs} since 1970. */
    record EvacuationJob(String id, List<String> hosts, MigrationOptions options, boolean makeRoom, long startedAtMs)
            implements KryoMessage {
        public EvacuationJob {
            hosts = List.copyOf(hosts);
        }
    }

    /**
     * The state after {@code event}.
     *
     * @throws IllegalStateException when the event cannot happen in this state: a bug
     */
    default EvacuationState apply(EvacuationEvent event) {
        return switch (event) {
            case EvacuationRequested(var hosts, var options, var makeRoom, var atMs)
            when this instanceof Unasked(var id) -> new Planning(new EvacuationJob(id, hosts, options, makeRoom, atMs));
            case EvacuationPlanned(var planned)
            when this instanceof Planning || this instanceof Running -> {
                Asked asked = (Asked) this;
                List<EvacuationRow> rows = new ArrayList<>(asked.rows());
                planned.forEach(vm -> rows.add(new EvacuationRow(
                        vm.spec(),
                        vm.from(),
                        vm.to(),
                        vm.state(),
                        List.of(),
                        List.of(),
                        0,
                        vm.reason(),
                        vm.makesRoomFor())));
                yield new Running(asked.job(), rows);
            }
            case VmMigrationStarted(var vm, var migration, var epoch)
            when this instanceof Running running -> running.change(vm, row -> row.migrating(migration, epoch));
            case VmMigrationSettled(var vm, var state, var reason)
            when this instanceof Running running -> running.change(vm, row -> row.settled(state, reason));
            case VmReplanned(var vm, var to, var reason, var roomFor)
            when this instanceof Running running -> running.change(vm, row -> row.replanned(to, reason, roomFor));
            case EvacuationFinished(var completed, var atMs)
            when this instanceof Running(var job, var rows) -> new Ended(job, rows, completed, atMs);
            case EvacuationRequested _,
                    EvacuationPlanned _,
                    VmMigrationStarted _,
                    VmMigrationSettled _,
                    VmReplanned _,
                    EvacuationFinished _ ->
                throw new IllegalStateException("an evacuation in " + this + " cannot take " + event);
        };
    }

    /** As it is shown; {@code nowMs} ends the duration of one that still runs. */
    static EvacuationView view(Asked state, long nowMs) {
        String name = switch (state) {
            case Planning _ -> "PLANNING";
            case Running _ -> "RUNNING";
            case Ended ended -> ended.completed() ? "COMPLETED" : "FAILED";
        };
        long endMs = state instanceof Ended ended ? ended.endedAtMs() : nowMs;
        return new EvacuationView(
                state.job().id(),
                state.job().hosts(),
                name,
                state.rows().stream().map(EvacuationRow::view).toList(),
                Math.max(0, endMs - state.job().startedAtMs()));
    }

    /** The row of {@code vm}, if it is part of this evacuation. */
    static Optional<EvacuationRow> row(Asked state, String vm) {
        return state.rows().stream().filter(row -> row.vm().equals(vm)).findFirst();
    }
}
