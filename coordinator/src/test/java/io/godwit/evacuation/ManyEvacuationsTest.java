package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.convergence.Policies;
import io.godwit.evacuation.EvacuationEvent.EvacuationRequested;
import io.godwit.evacuation.EvacuationEvent.VmMigrationSettled;
import io.godwit.evacuation.EvacuationEvent.VmMigrationStarted;
import io.godwit.evacuation.EvacuationState.Asked;
import io.godwit.evacuation.EvacuationState.Ended;
import io.godwit.evacuation.EvacuationState.Planning;
import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.plan.DrainPlanner;
import io.godwit.plan.Pictures;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Evacuations of small, full, drawn fleets, carried out by the rules with the real planner: migrations end in any order, and some
 * fail. No host ever holds more than it has, nothing goes where nothing may, and every evacuation comes to its end.
 */
class ManyEvacuationsTest {
    private static final int FLEETS = 100;
    private static final int STEPS = 400;
    private static final Policies POLICIES = Policies.from(ConfigFactory.load());

    private final DrainPlans plans = new DrainPlans(new DrainPlanner(10_000), POLICIES);

    /** One fleet: where each VM is, and what is under way. */
    private static final class World {
        final Map<String, Long> hosts = new TreeMap<>();
        final Map<String, VmSpec> specs = new TreeMap<>();
        final Map<String, String> at = new TreeMap<>();
        final Set<String> cordoned = new TreeSet<>(Set.of("h1"));
        final Map<String, EvacuationRow> flying = new TreeMap<>();

        World(Random random) {
            int count = 3 + random.nextInt(4);
            for (int h = 1; h <= count; h++) {
                long mib = 600 + 100L * random.nextInt(6);
                hosts.put("h" + h, mib);
                long left = mib - random.nextInt(400);
                for (int v = 0; left >= 100; v++) {
                    long size = Math.min(left, 100 + 50L * random.nextInt(10));
                    String name = "v" + h + "-" + v;
                    specs.put(name, Pictures.vm(name, size));
                    at.put(name, "h" + h);
                    left -= size;
                }
            }
            if (count > 4 && random.nextInt(3) == 0) {
                cordoned.add("h" + count);
            }
        }

        FleetShown shown() {
            List<HostView> views = new ArrayList<>();
            hosts.forEach((host, mib) -> {
                List<VmStatus> vms = new ArrayList<>();
                at.forEach((vm, where) -> {
                    Optional<String> migration = Optional.ofNullable(flying.get(vm))
                            .map(row -> row.migrations().getLast());
                    VmSpec spec = java.util.Objects.requireNonNull(specs.get(vm));
                    if (where.equals(host)) {
                        vms.add(new VmStatus(spec, RunState.RUNNING, 1, migration, false, Optional.empty()));
                    } else if (migration.isPresent()
                            && flying.get(vm).to().filter(host::equals).isPresent()) {
                        vms.add(new VmStatus(spec, RunState.PAUSED, 1, migration, true, Optional.empty()));
                    }
                });
                long used =
                        vms.stream().mapToLong(vm -> vm.spec().memoryBytes()).sum();
                assertThat(used).as("memory of " + host + " in " + this).isLessThanOrEqualTo(mib << 20);
                views.add(new HostView(
                        host,
                        "UP",
                        cordoned.contains(host),
                        0,
                        Optional.of(Pictures.inventory(host, 1, mib, Map.of(), vms))));
            });
            return Pictures.fleet(views.toArray(HostView[]::new));
        }

        @Override
        public String toString() {
            return hosts + " " + at + " closed " + cordoned + " flying " + flying.keySet();
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0, 0.25})
    void everyOneKeepsWithinItsHostsAndComesToItsEnd(double failures) {
        int extra = 0;
        int complete = 0;
        for (int seed = 0; seed < FLEETS; seed++) {
            Ended end = run(new Random(seed), failures, "seed " + seed);
            extra += (int) end.rows().stream()
                    .filter(row -> row.extra() && row.state() == RowState.MOVED)
                    .count();
            complete += end.completed() ? 1 : 0;
        }
        // else the fleets would not show what they are for
        assertThat(extra).isGreaterThan(20);
        assertThat(complete).isGreaterThan(FLEETS / 4).isLessThan(FLEETS);
    }

    private Ended run(Random random, double failures, String what) {
        World world = new World(random);
        EvacuationState state = new EvacuationState.Unasked("e-1")
                .apply(new EvacuationRequested(
                        List.of("h1"), new MigrationOptions(300, true, 0, 20_000), random.nextInt(8) != 0, 0));
        for (int step = 0; step < STEPS; step++) {
            if (state instanceof Ended ended) {
                atEnd(ended, world, what);
                return ended;
            }
            FleetShown shown = world.shown();
            state = after(state, shown, random);
            if (state instanceof Running running) {
                state = start(running, shown, world);
                state = settle((Running) state, world, random, failures);
            }
        }
        throw new AssertionError(what + " does not end: " + state + " in " + world);
    }

    private EvacuationState after(EvacuationState state, FleetShown shown, Random random) {
        List<EvacuationEvent> events;
        if (state instanceof Planning planning) {
            events = plans.plan(planning, shown);
        } else {
            Running running = (Running) state;
            FleetIndex index = FleetIndex.of(shown);
            events = EvacuationRules.onFleet(running, index, 0);
            if (events.isEmpty() && !EvacuationRules.homeless(running, index).isEmpty() && random.nextBoolean()) {
                events = plans.again(running, shown);
            }
        }
        EvacuationState next = state;
        for (EvacuationEvent event : events) {
            next = next.apply(event);
        }
        return next;
    }

    private static EvacuationState start(Running running, FleetShown shown, World world) {
        EvacuationState state = running;
        for (EvacuationRow row : new Turns(running, FleetIndex.of(shown)).startable()) {
            assertThat(world.cordoned).doesNotContain(row.to().orElseThrow());
            assertThat(world.at.get(row.vm())).isEqualTo(row.from());
            String id = "e-1-" + row.vm() + "-" + (row.migrations().size() + 1);
            state = state.apply(new VmMigrationStarted(row.vm(), id, 1));
            world.flying.put(
                    row.vm(), EvacuationState.row((Asked) state, row.vm()).orElseThrow());
        }
        world.shown(); // both ends have the room now
        return state;
    }

    private static EvacuationState settle(Running running, World world, Random random, double failures) {
        List<String> flying = new ArrayList<>(world.flying.keySet());
        if (flying.isEmpty() || random.nextInt(4) == 0) {
            return running;
        }
        String vm = flying.get(random.nextInt(flying.size()));
        EvacuationRow row = world.flying.remove(vm);
        if (row == null) {
            throw new AssertionError(vm);
        }
        if (random.nextDouble() < failures) {
            RowState next = row.migrations().size() < 3 ? RowState.WAITING : RowState.FAILED;
            return running.apply(new VmMigrationSettled(vm, next, Optional.of("the link broke")));
        }
        world.at.put(vm, row.to().orElseThrow());
        return running.apply(new VmMigrationSettled(vm, RowState.MOVED, Optional.empty()));
    }

    private static void atEnd(Ended end, World world, String what) {
        assertThat(world.flying).as(what).isEmpty();
        if (end.completed()) {
            assertThat(world.at.values()).as(what).doesNotContain("h1");
        }
        if (!end.job().makeRoom()) {
            assertThat(end.rows()).as(what).noneMatch(EvacuationRow::extra);
        }
        for (EvacuationRow row : end.rows()) {
            assertThat(row.state().settled()).as(what).isTrue();
            String expected = row.state() == RowState.MOVED ? row.to().orElseThrow() : row.from();
            assertThat(world.at).as(what).containsEntry(row.vm(), expected);
            // each moves once
            assertThat(row.from().equals("h1")).as(what).isEqualTo(!row.extra());
        }
    }
}
