package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MigTransitionsTest {
    private static final Map<String, DeviceState> SHORT = Map.of(
            "St", DeviceState.STOP,
            "R", DeviceState.RUNNING,
            "PC", DeviceState.PRE_COPY,
            "PCP", DeviceState.PRE_COPY_P2P,
            "SC", DeviceState.STOP_COPY,
            "Re", DeviceState.RESUMING,
            "P2", DeviceState.RUNNING_P2P,
            "ERROR", DeviceState.ERROR);

    /** vfio_mig_get_next_state, as printed in the kernel; columns St R PC PCP SC Re P2. */
    private static final List<String> TABLE = List.of(
            "St    St P2 P2 P2  SC  Re P2",
            "R     P2 R  PC P2  P2  P2 P2",
            "PC    R  R  PC PCP PCP R  R",
            "PCP   P2 P2 PC PCP SC  P2 P2",
            "SC    St St E  E   SC  St St",
            "Re    St St St St  St  Re St",
            "P2    St R  R  PCP St  St P2",
            "ERROR E  E  E  E   E   E  E");

    private static final List<String> COLUMNS = List.of("St", "R", "PC", "PCP", "SC", "Re", "P2");

    @Test
    void everyPairOfStatesHopsAsTheKernelsTableSays() {
        for (String line : TABLE) {
            List<String> row = List.of(line.split(" +"));
            DeviceState from = SHORT.get(row.getFirst());
            for (int i = 0; i < COLUMNS.size(); i++) {
                DeviceState to = SHORT.get(COLUMNS.get(i));
                String expected = row.get(i + 1);
                MigTransitions.Hop hop = MigTransitions.nextHop(from, to, true, true);
                if (expected.equals("E")) {
                    assertThat(hop).as("%s to %s", from, to).isInstanceOf(MigTransitions.Hop.Refused.class);
                } else if (from == to) {
                    assertThat(hop).isEqualTo(new MigTransitions.Hop.There());
                } else {
                    assertThat(hop)
                            .as("%s to %s", from, to)
                            .isEqualTo(new MigTransitions.Hop.Step(SHORT.get(expected)));
                }
            }
        }
    }

    @Test
    void errorIsNeverADestinationAndOnlyAResetLeavesIt() {
        for (DeviceState state : DeviceState.values()) {
            assertThat(MigTransitions.nextHop(state, DeviceState.ERROR, true, true))
                    .isInstanceOf(MigTransitions.Hop.Refused.class);
            assertThat(MigTransitions.nextHop(DeviceState.ERROR, state, true, true))
                    .isInstanceOf(MigTransitions.Hop.Refused.class);
        }
    }

    @Test
    void statesThatADeviceDoesNotHaveAreSkipped() {
        assertThat(path(DeviceState.RUNNING, DeviceState.STOP_COPY, false, false))
                .containsExactly(DeviceState.STOP, DeviceState.STOP_COPY);
        assertThat(path(DeviceState.PRE_COPY, DeviceState.STOP_COPY, true, false))
                .containsExactly(DeviceState.STOP_COPY);
        assertThat(path(DeviceState.STOP, DeviceState.PRE_COPY, true, false))
                .containsExactly(DeviceState.RUNNING, DeviceState.PRE_COPY);
        assertThat(path(DeviceState.RESUMING, DeviceState.RUNNING, true, true))
                .containsExactly(DeviceState.STOP, DeviceState.RUNNING_P2P, DeviceState.RUNNING);
        assertThat(path(DeviceState.RUNNING, DeviceState.STOP_COPY, false, true))
                .containsExactly(DeviceState.RUNNING_P2P, DeviceState.STOP, DeviceState.STOP_COPY);
    }

    @Test
    void aStateThatTheDeviceDoesNotHaveIsRefusedAsDestinationByName() {
        assertThat(MigTransitions.nextHop(DeviceState.RUNNING, DeviceState.RUNNING_P2P, true, false))
                .isEqualTo(new MigTransitions.Hop.Refused("the device has no state RUNNING_P2P"));
        assertThat(MigTransitions.nextHop(DeviceState.RUNNING, DeviceState.PRE_COPY_P2P, false, true))
                .isInstanceOf(MigTransitions.Hop.Refused.class);
    }

    @Test
    void everyWalkArrivesOverLegalSingleStepsOnly() {
        for (boolean preCopy : new boolean[] {true, false}) {
            for (boolean p2p : new boolean[] {true, false}) {
                for (DeviceState from : DeviceState.values()) {
                    for (DeviceState to : DeviceState.values()) {
                        List<DeviceState> path = path(from, to, preCopy, p2p);
                        DeviceState at = from;
                        for (DeviceState next : path) {
                            assertThat(MigTransitions.isStep(at, next, preCopy, p2p))
                                    .isTrue();
                            at = next;
                        }
                        assertThat(path).hasSizeLessThan(5);
                        assertThat(path.isEmpty() || at == to).isTrue();
                    }
                }
            }
        }
    }

    @Test
    void theSingleStepsOfAFullDeviceAreThoseOfTheHeader() {
        List<String> steps = new ArrayList<>();
        for (DeviceState from : DeviceState.values()) {
            for (DeviceState to : DeviceState.values()) {
                if (MigTransitions.isStep(from, to, true, true)) {
                    steps.add(from.value() + ">" + to.value());
                }
            }
        }
        assertThat(steps)
                .containsExactlyInAnyOrder(
                        "2>5", "5>2", "5>1", "1>5", "2>6", "6>2", "5>7", "7>5", "6>7", "7>6", "7>3", "1>3", "3>1",
                        "1>4", "4>1");
    }

    private static List<DeviceState> path(DeviceState from, DeviceState to, boolean preCopy, boolean p2p) {
        List<DeviceState> path = new ArrayList<>();
        DeviceState at = from;
        while (MigTransitions.nextHop(at, to, preCopy, p2p) instanceof MigTransitions.Hop.Step(var next)) {
            path.add(next);
            at = next;
        }
        return path;
    }
}
