package io.godwit.migration;

import io.godwit.vm.GuestMemory;
import java.util.List;

/** Measurements as tests make them up: a VM with nothing left, changed field by field. */
record Measures(
        long left,
        long pinned,
        long precopy,
        long stopCopy,
        long bandwidth,
        boolean settled,
        long limit,
        long cpuBytesPerSecond,
        long rounds,
        long precopyNanos,
        boolean acknowledged) {
    private static final long TICK = 200_000_000;

    /** At so many bytes a second, after one round. */
    static Measures at(long bandwidth) {
        return new Measures(0, 0, 0, 0, bandwidth, true, 0, 0, 1, 0, true);
    }

    Measures left(long bytes) {
        return new Measures(
                bytes,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                cpuBytesPerSecond,
                rounds,
                precopyNanos,
                acknowledged);
    }

    Measures pinned(long bytes) {
        return new Measures(
                left,
                bytes,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                cpuBytesPerSecond,
                rounds,
                precopyNanos,
                acknowledged);
    }

    Measures device(long precopyBytes, long stopCopyBytes) {
        return new Measures(
                left,
                pinned,
                precopyBytes,
                stopCopyBytes,
                bandwidth,
                settled,
                limit,
                cpuBytesPerSecond,
                rounds,
                precopyNanos,
                acknowledged);
    }

    Measures unsettled() {
        return new Measures(
                left,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                false,
                limit,
                cpuBytesPerSecond,
                rounds,
                precopyNanos,
                acknowledged);
    }

    Measures limited(long bytesPerSecond) {
        return new Measures(
                left,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                bytesPerSecond,
                cpuBytesPerSecond,
                rounds,
                precopyNanos,
                acknowledged);
    }

    Measures dirtying(long bytesPerSecond) {
        return new Measures(
                left,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                bytesPerSecond,
                rounds,
                precopyNanos,
                acknowledged);
    }

    Measures round(long number) {
        return new Measures(
                left,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                cpuBytesPerSecond,
                number,
                precopyNanos,
                acknowledged);
    }

    Measures after(long nanos) {
        return new Measures(
                left,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                cpuBytesPerSecond,
                rounds,
                nanos,
                acknowledged);
    }

    Measures unacknowledged() {
        return new Measures(
                left,
                pinned,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                cpuBytesPerSecond,
                rounds,
                precopyNanos,
                false);
    }

    Measured get() {
        DirtyRate cpu = new DirtyRate();
        cpu.add(cpuBytesPerSecond * TICK / 1_000_000_000 / GuestMemory.PAGE_SIZE, TICK);
        return new Measured(
                left,
                pinned,
                0,
                precopy,
                stopCopy,
                bandwidth,
                settled,
                limit,
                cpu,
                new DirtyRate(),
                2_000_000,
                rounds,
                precopyNanos,
                acknowledged);
    }

    /** Costs of a destination that has shown nothing but this fixed cost and this delay of the handoff. */
    static RouteCosts costs(long fixedMicros, long handoffMicros) {
        return new RouteCosts(fixedMicros, handoffMicros, 0, 0, 0, 0, List.of());
    }
}
