package io.godwit.device;

/**
 * What a device has still to give out while it runs: {@code struct vfio_precopy_info} (linux/vfio.h,
 * VFIO_MIG_GET_PRECOPY_INFO).
 *
 * @param initialBytes first data, which the destination should have loaded before the source stops: it lets the
 *     destination prepare what would else take time in the standstill; does not grow again once it is 0
 * @param dirtyBytes the rest: given out once, or changed since
 */
public record PrecopyInfo(long initialBytes, long dirtyBytes) {
    /** Nothing to give out. */
    public static final PrecopyInfo NONE = new PrecopyInfo(0, 0);

    /** Both together. */
    public long bytes() {
        return initialBytes + dirtyBytes;
    }
}
