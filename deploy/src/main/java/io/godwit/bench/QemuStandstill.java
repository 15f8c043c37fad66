package io.godwit.bench;

import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationView;

/**
 * One standstill, what had been promised of it, and what was said of it afterwards; milliseconds.
 *
 * @param guest which
 * @param first whether nothing had been learnt of its destination
 * @param ours Godwit's promise
 * @param expected QEMU's
 * @param measured between the events of the two QEMUs
 * @param reported as Godwit measured it, with its parts
 * @param trace events of both QEMUs, in milliseconds since the stop
 */
record QemuStandstill(
        String guest, boolean first, double ours, double expected, double measured, Downtime reported, String trace) {
    static QemuStandstill of(String guest, boolean first, MigrationView view, QemuRun run) {
        return new QemuStandstill(
                guest,
                first,
                view.stats().predictedDowntimeMicros() / 1e3,
                // a QEMU that says nothing expects nothing
                Math.max(0, view.stats().hypervisorDowntimeMicros()) / 1e3,
                run.standstillMs(),
                view.downtime(),
                run.trace());
    }

    double reportedMs() {
        return reported.totalMicros() / 1e3;
    }

    double ourError() {
        return Math.abs(ours - measured);
    }

    double expectedError() {
        return Math.abs(expected - measured);
    }
}
