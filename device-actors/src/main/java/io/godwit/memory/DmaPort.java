package io.godwit.memory;

import io.godwit.vm.GuestMemory;
import org.jspecify.annotations.Nullable;

/**
 * One device's access to an {@link IommuSpace}: it pins pages, and may write only those. Safe for any thread; once {@link
 * #unpin} or {@link IommuSpace#unmap} has returned, no write through the port reaches the page any more.
 */
public final class DmaPort {
    private final IommuSpace space;
    private final String device;
    private final ReportingPolicy policy;
    private final @Nullable DmaLogging logging;

    // all guarded by the space's lock
    private final IovaRanges pins = new IovaRanges();
    private @Nullable DmaLogSession session;
    private boolean logLost;

    DmaPort(IommuSpace space, String device, ReportingPolicy policy, @Nullable DmaLogging logging) {
        this.space = space;
        this.device = device;
        this.policy = policy;
        this.logging = logging;
    }

    /** Name of the device. */
    public String device() {
        return device;
    }

    /** How its pinned pages are reported. */
    public ReportingPolicy policy() {
        return policy;
    }

    /**
     * Pins a range of whole pages for DMA.
     *
     * @throws IommuException when some of it is not mapped, or is pinned by this device already
     */
    public void pin(long iova, long bytes) throws IommuException {
        space.pin(this, iova, bytes);
    }

    /**
     * Lets a range of whole pages go; what of it is not pinned is passed over.
     *
     * @return pages let go
     */
    public long unpin(long iova, long bytes) throws IommuException {
        return space.unpin(this, iova, bytes);
    }

    /**
     * DMA by the {@link io.godwit.vm.WriteRule}: adds one to the counter at the start of each of {@code pages} pages from
     * {@code iova}. All or nothing.
     *
     * @throws IommuException naming the first address that is not mapped or not pinned
     */
    public void increment(long iova, long pages) throws IommuException {
        increment(iova, pages, DmaWrites.UNRECORDED);
    }

    /** As {@link #increment(long, long)}, for a device that keeps {@code record} of what it writes. */
    public void increment(long iova, long pages, DmaWrites record) throws IommuException {
        space.increment(this, iova, pages, record);
    }

    /**
     * The counter at the start of a page.
     *
     * @throws IommuException when the address is not mapped or not pinned
     */
    public long counter(long iova) throws IommuException {
        return space.counter(this, iova);
    }

    /** Number of pages it has pinned. */
    public long pinnedPages() {
        return space.pinnedPages(this);
    }

    /** Lets all its pages go and gives the port up. */
    public void detach() {
        space.detach(this);
    }

    IovaRanges pins() {
        return pins;
    }

    /** The log that the device announced, with {@link ReportingPolicy#HARDWARE_TRACKED} only. */
    @Nullable
    DmaLogging logging() {
        return logging;
    }

    /** Its logging while that works. */
    @Nullable
    DmaLogSession session() {
        return session;
    }

    /** It logs from here on, or, with null, is not asked to. */
    void logs(@Nullable DmaLogSession started) {
        session = started;
        logLost = false;
    }

    /** It should log and cannot. */
    void logLost() {
        session = null;
        logLost = true;
    }

    /** The policy by which its pins count: without its log, each page is taken to be written. */
    ReportingPolicy counted() {
        return logLost ? ReportingPolicy.PERSISTENT : policy;
    }

    static long pages(IovaRanges.Span span) {
        return (span.end() - span.start()) / GuestMemory.PAGE_SIZE;
    }
}
