package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.plan.Pictures;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.CancelSave;
import io.godwit.proto.host.HostCommand.DestroyVm;
import io.godwit.proto.host.HostCommand.DiscardIncoming;
import io.godwit.proto.host.HostCommand.ReleaseSource;
import io.godwit.proto.host.HostCommand.RunVm;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** Of vm-1, whose last settled migration is m-1. */
class LeftoversTest {
    private static final ActorTestKit KIT = ActorTestKit.create();
    private static final ActorRef<HostReply> NOBODY = KIT.system().ignoreRef();

    @AfterAll
    static void close() {
        KIT.shutdownTestKit();
    }

    private static OwnershipView held(String host, long epoch) {
        return new OwnershipView("vm-1", Optional.of(host), epoch, Optional.empty(), Optional.of("m-1"));
    }

    private static VmStatus copy(RunState state, long epoch, String migration, boolean incoming) {
        return new VmStatus(
                Pictures.vm("vm-1", 64),
                state,
                epoch,
                migration.isEmpty() ? Optional.empty() : Optional.of(migration),
                incoming,
                Optional.empty());
    }

    private static Optional<HostCommand> order(VmStatus copy, OwnershipView ledger) {
        return Leftovers.order("host-1", copy, ledger, true, NOBODY);
    }

    @Test
    void aVmThatRunsWhereItShouldIsLeftAlone() {
        assertThat(order(copy(RunState.RUNNING, 2, "", false), held("host-1", 2)))
                .isEmpty();
    }

    /** Its host was cut off while its handoff was aborted: nobody else would ever tell it. */
    @Test
    void aVmThatMissedTheAbortIsToldItsEpoch() {
        assertThat(order(copy(RunState.RUNNING, 1, "", false), held("host-1", 2)))
                .contains(new RunVm("m-1", "vm-1", 2));
        OwnershipView open = new OwnershipView(
                "vm-1",
                Optional.of("host-1"),
                2,
                Optional.of(new Handoff("m-2", "host-1", "host-2", 1000)),
                Optional.of("m-1"));
        assertThat(order(copy(RunState.RUNNING, 1, "", false), open))
                .as("whoever has opened it sees to that")
                .isEmpty();
        assertThat(order(copy(RunState.PAUSED, 1, "", false), held("host-1", 2)))
                .as("it is not to run because of this")
                .isEmpty();
    }

    @Test
    void whatBelongsToAnotherOrNobodyGoes() {
        assertThat(order(copy(RunState.RUNNING, 1, "", false), held("host-2", 2)))
                .contains(new DestroyVm("vm-1", 2, NOBODY));
        OwnershipView free = new OwnershipView("vm-1", Optional.empty(), 1, Optional.empty(), Optional.empty());
        assertThat(order(copy(RunState.RUNNING, 1, "", false), free)).contains(new DestroyVm("vm-1", 1, NOBODY));
        assertThat(order(copy(RunState.FINISH_MIGRATE, 1, "m-1", false), held("host-2", 2)))
                .contains(new ReleaseSource("m-1", "vm-1", 2));
        assertThat(order(copy(RunState.RESTORE_VM, 1, "m-1", true), held("host-2", 2)))
                .contains(new DiscardIncoming("m-1", "vm-1", "migration m-1 is over"));
    }

    @Test
    void whatIsStillSentForAMigrationThatIsOverIsEnded() {
        assertThat(order(copy(RunState.RUNNING, 1, "m-1", false), held("host-1", 1)))
                .contains(new CancelSave("m-1", "vm-1", "migration m-1 is over"));
        assertThat(Leftovers.order("host-1", copy(RunState.RUNNING, 1, "m-1", false), held("host-1", 1), false, NOBODY))
                .as("while its migration goes on")
                .isEmpty();
    }
}
