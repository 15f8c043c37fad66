package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.ConfigFactory;
import io.godwit.convergence.Policies;
import io.godwit.evacuation.EvacuationEvent.EvacuationPlanned;
import io.godwit.evacuation.EvacuationEvent.EvacuationRequested;
import io.godwit.evacuation.EvacuationEvent.PlannedVm;
import io.godwit.evacuation.EvacuationEvent.VmMigrationSettled;
import io.godwit.evacuation.EvacuationEvent.VmMigrationStarted;
import io.godwit.evacuation.EvacuationEvent.VmReplanned;
import io.godwit.evacuation.EvacuationState.EvacuationJob;
import io.godwit.evacuation.EvacuationState.Planning;
import io.godwit.evacuation.EvacuationState.Running;
import io.godwit.plan.FirstFit;
import io.godwit.plan.Pictures;
import io.godwit.plan.Placement;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.evacuation.EvacuationView.VmRow;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** An evacuation of host-1, whose VMs go to host-2; host-3 has room, too. */
class EvacuationRulesTest {
    private static final Policies POLICIES = Policies.from(ConfigFactory.load());

    private final EvacuationRules rules = new EvacuationRules(POLICIES, 2);
    private final DrainPlans plans = new DrainPlans(new FirstFit(), POLICIES);

    private static List<EvacuationRow> startable(Running state, FleetShown fleet) {
        return new Turns(state, FleetIndex.of(fleet)).startable();
    }

    private static EvacuationView explained(Running state, FleetShown fleet) {
        return new Turns(state, FleetIndex.of(fleet)).explained(EvacuationState.view(state, 0));
    }

    /** All that a look at the fleet leads to, with the plan it asks for. */
    private List<EvacuationEvent> onFleet(Running state, FleetShown fleet) {
        FleetIndex index = FleetIndex.of(fleet);
        List<EvacuationEvent> events = EvacuationRules.onFleet(state, index, 0);
        return events.isEmpty() && !EvacuationRules.homeless(state, index).isEmpty()
                ? plans.again(state, fleet)
                : events;
    }

    private static List<VmSpec> specs(int vms) {
        return IntStream.rangeClosed(1, vms)
                .mapToObj(i -> Pictures.vm("vm-" + i, 64))
                .toList();
    }

    private static FleetShown fleet(int vms) {
        return Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), specs(vms).toArray(VmSpec[]::new)),
                Pictures.up("host-2", 1000, Map.of()),
                Pictures.up("host-3", 1000, Map.of()));
    }

    private static EvacuationState after(EvacuationState state, List<EvacuationEvent> events) {
        return events.stream().reduce(state, EvacuationState::apply, (_, last) -> last);
    }

    /** Running, with as many of its VMs migrating as the hosts' limits allow. */
    private static Running running(int vms) {
        var planned = specs(vms).stream()
                .map(spec -> new PlannedVm(
                        spec, "host-1", Optional.of("host-2"), RowState.WAITING, Optional.empty(), List.of()))
                .toList();
        var state = after(
                new EvacuationState.Unasked("e-1"),
                List.of(
                        new EvacuationRequested(List.of("host-1"), new MigrationOptions(300, true, 0, 20_000), true, 0),
                        new EvacuationPlanned(planned)));
        for (EvacuationRow row : startable((Running) state, fleet(vms))) {
            state = state.apply(new VmMigrationStarted(row.vm(), "e-1-" + row.vm() + "-1", 1));
        }
        return (Running) state;
    }

    private static MigrationView view(String id, boolean retryable) {
        return new MigrationView(
                id,
                "vm-1",
                "host-1",
                "host-2",
                "soft",
                MigrationPhase.ROLLING_BACK,
                Optional.of("the link broke"),
                false,
                1,
                List.of(),
                SaveStats.NONE,
                Downtime.NONE,
                false,
                0,
                retryable,
                SaveLimits.NONE,
                List.of(),
                Optional.empty());
    }

    @Test
    void aVmWaitsUntilItsDestinationHasRoom() {
        FleetShown full = Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), specs(1).toArray(VmSpec[]::new)),
                leaving("host-2", 1000, Pictures.vm("big", 980)),
                Pictures.up("host-3", 1000, Map.of()));
        Running state = waiting();
        assertThat(startable(state, full)).isEmpty();
        assertThat(onFleet(state, full)).isEmpty();
        assertThat(explained(state, full).vms().getFirst().reason())
                .contains("waits for room: host host-2 has 20 MiB free of 1000 MiB");
        assertThat(startable(state, fleet(1))).hasSize(1);
    }

    @Test
    void aVmWhoseDestinationHasBeenFilledByOthersGoesElsewhere() {
        FleetShown full = Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), specs(1).toArray(VmSpec[]::new)),
                Pictures.up("host-2", 1000, Map.of(), Pictures.vm("new", 980)),
                Pictures.up("host-3", 1000, Map.of()));
        assertThat(onFleet(waiting(), full))
                .containsExactly(new VmReplanned("vm-1", Optional.of("host-3"), Optional.empty()));
    }

    /** vm-1 waits to go to host-2. */
    private static Running waiting() {
        return (Running) after(
                new EvacuationState.Unasked("e-1"),
                List.of(
                        new EvacuationRequested(List.of("host-1"), new MigrationOptions(300, true, 0, 20_000), true, 0),
                        new EvacuationPlanned(List.of(new PlannedVm(
                                specs(1).getFirst(),
                                "host-1",
                                Optional.of("host-2"),
                                RowState.WAITING,
                                Optional.empty(),
                                List.of())))));
    }

    /** vm-1 waits to go to host-2, x to make room there by going to host-3. */
    private static Running withExtra(String to) {
        return (Running) after(
                waiting(),
                List.of(new EvacuationPlanned(List.of(new PlannedVm(
                        Pictures.vm("x", 980),
                        "host-2",
                        Optional.of(to),
                        RowState.WAITING,
                        Optional.empty(),
                        List.of("vm-1"))))));
    }

    private static FleetShown fullUnlessXGoes(HostView third) {
        return Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), specs(1).toArray(VmSpec[]::new)),
                Pictures.up("host-2", 1000, Map.of(), Pictures.vm("x", 980)),
                third);
    }

    @Test
    void whoMakesRoomIsStartedFirstThoughItWasPlannedLater() {
        FleetShown fleet = fullUnlessXGoes(Pictures.up("host-3", 1000, Map.of()));
        Running state = withExtra("host-3");
        assertThat(startable(state, fleet)).extracting(EvacuationRow::vm).containsExactly("x");
        assertThat(onFleet(state, fleet)).isEmpty();
    }

    @Test
    void whoNeedNotMakeRoomAnyMoreStays() {
        FleetShown roomy = Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), specs(1).toArray(VmSpec[]::new)),
                Pictures.up("host-2", 2000, Map.of(), Pictures.vm("x", 980)),
                Pictures.up("host-3", 1000, Map.of()));
        Optional<String> why = Optional.of("its place is not needed any more");
        assertThat(onFleet(withExtra("host-3"), roomy))
                .containsExactly(new VmMigrationSettled("x", RowState.STAYS, why));
        Running alone = (Running)
                after(withExtra("host-3"), List.of(new VmMigrationSettled("vm-1", RowState.MOVED, Optional.empty())));
        assertThat(onFleet(alone, fullUnlessXGoes(Pictures.up("host-3", 1000, Map.of()))))
                .containsExactly(new VmMigrationSettled("x", RowState.STAYS, why));
    }

    @Test
    void thoseThatWaitForEachOtherInACircleArePlannedAgain() {
        // x has to wait for z, which has to wait for x
        Running state = (Running) after(
                withExtra("host-3"),
                List.of(new EvacuationPlanned(List.of(new PlannedVm(
                        Pictures.vm("z", 980),
                        "host-3",
                        Optional.of("host-2"),
                        RowState.WAITING,
                        Optional.empty(),
                        List.of("x"))))));
        FleetShown fleet = fullUnlessXGoes(Pictures.up("host-3", 1000, Map.of(), Pictures.vm("z", 980)));
        assertThat(startable(state, fleet)).isEmpty();
        assertThat(onFleet(state, fleet)).hasAtLeastOneElementOfType(VmReplanned.class);
    }

    @Test
    void anEvacuationIsCompleteThoughWhoWasToMakeRoomStays() {
        FleetShown empty = Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of()),
                Pictures.up("host-2", 1000, Map.of()),
                Pictures.up("host-3", 1000, Map.of()));
        Running state = (Running) after(
                withExtra("host-3"),
                List.of(
                        new VmMigrationSettled("x", RowState.FAILED, Optional.of("the link broke")),
                        new VmMigrationSettled("vm-1", RowState.MOVED, Optional.empty())));
        assertThat(onFleet(state, empty)).containsExactly(new EvacuationEvent.EvacuationFinished(true, 0));
    }

    /** A host with one VM that is leaving it. */
    private static HostView leaving(String host, long mib, VmSpec vm) {
        return new HostView(
                host,
                "UP",
                false,
                0,
                Optional.of(Pictures.inventory(
                        host,
                        1,
                        mib,
                        Map.of(),
                        List.of(new VmStatus(
                                vm, RunState.RUNNING, 1, Optional.of("m-other"), false, Optional.empty())))));
    }

    @Test
    void saysBeforeAnythingStartsWhichVmsCannotBeMovedByTheirConvergencePolicy() {
        FleetShown fleet = Pictures.fleet(
                Pictures.host(
                        "host-1", "UP", true, 1000, Map.of("gpu", 1), Pictures.vm("vm-1", 64, "gpu"), own("none")),
                Pictures.up("host-2", 1000, Map.of("gpu", 1)));
        var options = new MigrationOptions(300, true, 0, 20_000, 0, "wait:1s, postcopy");
        assertThat(plans.dryRun(List.of("host-1"), options, true, fleet).placements())
                .containsExactlyInAnyOrder(
                        new Placement(
                                "vm-1",
                                "host-1",
                                Optional.empty(),
                                Optional.of("postcopy is not possible with a VFIO device: vm 'vm-1' has dev-0 (gpu)")),
                        new Placement("vm-own", "host-1", Optional.of("host-2"), Optional.empty()));
        var planning = new Planning(new EvacuationJob("e-1", List.of("host-1"), options, true, 0));
        Running state = (Running) after(planning, plans.plan(planning, fleet));
        assertThat(EvacuationState.row(state, "vm-1").orElseThrow().state()).isEqualTo(RowState.FAILED);
        assertThat(EvacuationState.row(state, "vm-own").orElseThrow().state()).isEqualTo(RowState.WAITING);
    }

    @Test
    void aQemuGuestWhoseAgentIsAwayIsNotLostAndWaitsForTheAgent() {
        VmSpec spec = Pictures.vm("vm-1", "qemu", 64);
        FleetShown here = Pictures.fleet(
                Pictures.host("host-1", "UP", true, 1000, Map.of(), spec), Pictures.up("host-2", 1000, Map.of()));
        FleetShown away = new FleetShown(
                here.hosts(),
                List.of(new VmView(
                        spec,
                        "UNKNOWN",
                        Optional.of("host-1"),
                        1,
                        Optional.empty(),
                        Optional.of("host host-1's agent is away"))));
        var planned =
                new PlannedVm(spec, "host-1", Optional.of("host-2"), RowState.WAITING, Optional.empty(), List.of());
        Running state = (Running) after(
                new EvacuationState.Unasked("e-1"),
                List.of(
                        new EvacuationRequested(List.of("host-1"), new MigrationOptions(300, true, 0, 20_000), true, 0),
                        new EvacuationPlanned(List.of(planned))));
        assertThat(onFleet(state, away)).isEmpty();
        assertThat(startable(state, away)).isEmpty();
        assertThat(explained(state, away).vms().getFirst().reason().orElseThrow())
                .contains("waits for the agent")
                .contains("host-1");
        assertThat(startable(state, here)).hasSize(1);
    }

    @Test
    void refusesAConvergencePolicyThatNobodyKnows() {
        var options = new MigrationOptions(300, true, 0, 20_000, 0, "harsh");
        assertThat(rules.fault(List.of("host-1"), options, fleet(1)).orElseThrow())
                .startsWith("no convergence policy 'harsh'; expected one of ");
    }

    private static VmSpec own(String convergence) {
        VmSpec vm = Pictures.vm("vm-own", 64);
        return new VmSpec(
                vm.name(),
                vm.driver(),
                vm.memoryBytes(),
                vm.vcpus(),
                vm.workload(),
                vm.devices(),
                vm.blackoutBudgetMs(),
                vm.containers(),
                convergence);
    }

    @Test
    void looksForAnotherDestinationWithoutWaitingForTheDeadOne() {
        Running state = running(1);
        assertThat(rules.onMigration(state, view("e-1-vm-1-1", false))).isEmpty();
        List<EvacuationEvent> events = rules.onMigration(state, view("e-1-vm-1-1", true));
        assertThat(events)
                .containsExactly(new VmMigrationSettled("vm-1", RowState.WAITING, Optional.of("the link broke")));
        Running waiting = (Running) after(state, events);
        // what the old one still has to say changes nothing
        assertThat(rules.onMigration(waiting, view("e-1-vm-1-1", true))).isEmpty();
        assertThat(onFleet(waiting, fleet(1)))
                .containsExactly(new VmReplanned("vm-1", Optional.of("host-3"), Optional.of("the link broke")));
    }

    @Test
    void givesAVmUpAfterItsLastAttemptWithoutWaitingForTheDeadDestination() {
        Running state = (Running) after(
                running(1),
                List.of(
                        new VmMigrationSettled("vm-1", RowState.WAITING, Optional.empty()),
                        new VmReplanned("vm-1", Optional.of("host-3"), Optional.empty()),
                        new VmMigrationStarted("vm-1", "e-1-vm-1-2", 1)));
        assertThat(rules.onMigration(state, view("e-1-vm-1-2", true)))
                .containsExactly(new VmMigrationSettled("vm-1", RowState.FAILED, Optional.of("the link broke")));
    }

    @Test
    void saysForWhatAVmWaits() {
        int vms = 4;
        Running state = running(vms);
        FleetShown fleet = fleet(vms);
        int limit =
                fleet.hosts().getFirst().inventory().orElseThrow().capacity().outgoingMax();
        List<VmRow> rows = explained(state, fleet).vms();
        assertThat(limit).isLessThan(vms);
        assertThat(rows.subList(0, limit))
                .allMatch(row -> row.state().equals("MIGRATING") && row.reason().isEmpty());
        assertThat(rows.subList(limit, vms))
                .allMatch(row ->
                        row.reason().equals(Optional.of("waits its turn: host host-1 sends " + limit + " at a time")));
    }
}
