package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;

/**
 * What the guest program does: it increments a counter in every page of its working set, page after page, round after
 * round.
 *
 * @param workingSetBytes memory written, a multiple of 4 KiB times the vCPU count; 0 for an idle guest
 * @param dirtyBytesPerSecond pages touched per second times 4 KiB, over all vCPUs; 0 for as fast as it can
 * @param fill whether all of RAM holds a non-zero pattern from the start
 */
public record WorkloadSpec(long workingSetBytes, long dirtyBytesPerSecond, boolean fill) implements WireMessage {}
