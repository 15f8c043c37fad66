package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.device.DeviceState;
import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.RunState;
import java.util.List;
import org.junit.jupiter.api.Test;

class StateTrailTest {
    private final StateTrail trail = new StateTrail(3);

    @Test
    void keepsTriplesInOrderWithoutRepeats() {
        trail.publish(RunState.RUNNING, MigrationStatus.NONE, List.of(DeviceState.RUNNING));
        trail.publish(RunState.RUNNING, MigrationStatus.NONE, List.of(DeviceState.RUNNING, DeviceState.RUNNING));
        trail.publish(RunState.RUNNING, MigrationStatus.SETUP, List.of(DeviceState.PRE_COPY));
        trail.publish(RunState.RUNNING, MigrationStatus.NONE, List.of(DeviceState.RUNNING));
        assertThat(trail.all())
                .containsExactly(
                        new StateTriple("RUNNING", "NONE", "_RUNNING"),
                        new StateTriple("RUNNING", "SETUP", "_RUNNING|_SAVING"),
                        new StateTriple("RUNNING", "NONE", "_RUNNING"));
        assertThat(trail.last()).isEqualTo(trail.all().getLast());
    }

    @Test
    void namesDevicesInDifferentStatesTogetherInSlotOrder() {
        trail.publish(
                RunState.FINISH_MIGRATE, MigrationStatus.DEVICE, List.of(DeviceState.STOP_COPY, DeviceState.STOP));
        assertThat(trail.last().device()).isEqualTo("_SAVING,_STOPPED");
    }

    @Test
    void aVmWithoutDevicesHasADash() {
        trail.publish(RunState.RUNNING, MigrationStatus.NONE, List.of());
        assertThat(trail.last().device()).isEqualTo("-");
    }

    @Test
    void keepsNoMoreThanItsLimit() {
        for (MigrationStatus status : MigrationStatus.values()) {
            trail.publish(RunState.RUNNING, status, List.of());
        }
        assertThat(trail.all()).hasSize(3);
    }
}
