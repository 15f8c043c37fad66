package io.godwit.demo;

import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.vm.GuestCheck;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What must hold after an evacuation of QEMU guests. QEMU compares no digests, so the guest's own rule, over its memory as
 * QEMU dumps it at the destination, is the proof; and QEMU itself says where it runs.
 */
final class QemuDemoChecks {
    /**
     * States that every migration is seen in, in this order, whatever QEMU goes through between two looks: a small guest is
     * copied between two. The source asks how
     * QEMU stands before it goes past pre-switchover, and once more at the end; the destination until all is loaded.
     */
    private static final List<StateTriple> FLOW = List.of(
            new StateTriple("FINISH_MIGRATE", "DEVICE", "-"),
            new StateTriple("FINISH_MIGRATE", "COMPLETED", "-"),
            new StateTriple("RESTORE_VM", "NONE", "-"),
            new StateTriple("RESTORE_VM", "COMPLETED", "-"),
            new StateTriple("RUNNING", "NONE", "-"));

    private final DemoChecks common;

    /**
     * What was seen beside what every demo sees.
     *
     * @param before each guest's check at its source, before it was migrated
     * @param witnessed hosts where a QEMU says that it runs the VM
     */
    record Sources(Map<String, GuestCheck> before, Map<String, List<String>> witnessed) {}

    /** With {@code common} for what is no matter of the driver. */
    QemuDemoChecks(DemoChecks common) {
        this.common = common;
    }

    List<Check> judge(DemoChecks.Seen seen, Sources sources) {
        List<Check> checks = new ArrayList<>(common.moved(seen));
        checks.add(common.each(
                "nothing claims that digests were compared",
                name -> unverified(seen.migrations().get(name))));
        checks.add(common.each(
                "guests wrote on from where they were",
                name -> DemoChecks.ranOn(
                        sources.before().get(name), seen.first().get(name), false)));
        checks.add(common.each(
                "VM and migration went through their states",
                name -> DemoChecks.flow(seen.migrations().get(name), FLOW, QemuDemoChecks::standing)));
        checks.add(common.each(
                "no write of the guest was lost or doubled",
                name -> DemoChecks.rule(seen.second().get(name))));
        checks.add(common.each(
                "guests run on at their destinations",
                name -> DemoChecks.ranOn(seen.first().get(name), seen.second().get(name), false)));
        checks.add(common.each(
                "exactly one QEMU says that it runs, where the ledger says",
                name -> DemoChecks.single(
                        seen.owners().get(name), sources.witnessed().getOrDefault(name, List.of()))));
        checks.addAll(common.owned(seen));
        return checks;
    }

    /** The source's run state at its end is its last before it or already the next: it stands still in both. */
    private static StateTriple standing(StateTriple state) {
        return state.vm().equals("POSTMIGRATE")
                ? new StateTriple("FINISH_MIGRATE", state.migration(), state.device())
                : state;
    }

    private static Optional<String> unverified(@Nullable MigrationView view) {
        return view != null && !view.verified()
                ? Optional.empty()
                : Optional.of(view == null ? "has no migration" : "says that it was verified");
    }
}
