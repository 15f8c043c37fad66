package io.godwit.memory;

import static io.godwit.memory.IovaTable.hex;

import com.typesafe.config.Config;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.jspecify.annotations.Nullable;

/**
 * One IOMMU address space: which I/O virtual addresses lead where in guest memory, which pages its devices have pinned,
 * and what of guest memory they may have written. Safe for any thread: DMA and reports share a lock, changes of mappings
 * and pins exclude both, so a page let go is never written afterwards. Addresses and sizes are bytes, in whole pages.
 * (The semantics are those of VFIO type1: linux/vfio.h, VFIO_IOMMU_MAP_DMA, VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP.)
 */
public final class IommuSpace {
    private static final int PAGE = GuestMemory.PAGE_SIZE;

    private final String name;
    private final GuestMemory memory;
    private final boolean viommu;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    /** One report at a time; taken before {@link #lock}. */
    private final ReentrantLock reporting = new ReentrantLock();

    private final IovaTable mappings;
    private final DirtyAccount account;
    private final DmaLogs logs;
    private final PortTable ports;

    /** Empty, over {@code memory}, for at most {@code mappingsMax} mappings; a guest changes them if {@code viommu}. */
    public IommuSpace(String name, GuestMemory memory, int mappingsMax, boolean viommu) {
        this.name = name;
        this.memory = memory;
        this.viommu = viommu;
        this.mappings = new IovaTable(name, mappingsMax);
        this.account = new DirtyAccount(memory.pages());
        this.logs = new DmaLogs(mappings, account, viommu);
        this.ports = new PortTable(mappings, account, logs);
    }

    /** Empty, with the limit of {@code godwit.memory.mappings-max} in {@code config}. */
    public static IommuSpace of(String name, GuestMemory memory, boolean viommu, Config config) {
        return new IommuSpace(name, memory, config.getInt("godwit.memory.mappings-max"), viommu);
    }

    /** Its name, which is its container's. */
    public String name() {
        return name;
    }

    /** Whether the guest maps and unmaps in it while it runs. */
    public boolean viommu() {
        return viommu;
    }

    /** Lets a device in that keeps no log of its DMA writes. */
    public DmaPort attach(String device, ReportingPolicy policy) throws IommuException {
        return attach(device, policy, null);
    }

    /**
     * Lets a device in, which pins under {@code policy}.
     *
     * @param logging its log, which {@link ReportingPolicy#HARDWARE_TRACKED} needs and which no other policy asks for
     * @throws IommuException when there is a device of that name, or the policy needs a log and there is none
     */
    public DmaPort attach(String device, ReportingPolicy policy, @Nullable DmaLogging logging) throws IommuException {
        boolean tracked = policy == ReportingPolicy.HARDWARE_TRACKED;
        if (tracked && logging == null) {
            throw refused("device " + device + " has no log of its DMA writes; " + policy + " needs one");
        }
        lock.writeLock().lock();
        try {
            DmaPort port = new DmaPort(this, device, policy, tracked ? logging : null);
            ports.attach(port);
            return port;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Maps a range.
     *
     * @throws IommuException when it is not whole pages, overlaps a mapping, lies outside guest memory or what a vIOMMU can
     *     address, or is one too many
     */
    public void map(long iova, long gpa, long bytes) throws IommuException {
        checkRange("map", iova, bytes);
        if (gpa < 0 || gpa % PAGE != 0 || gpa > memory.bytes() - bytes) {
            throw refused("map of iova " + hex(iova) + " to gpa " + hex(gpa) + ", " + bytes
                    + " bytes; expected whole pages within " + memory.bytes() + " bytes of guest memory");
        }
        if (viommu && iova + bytes > DmaLogs.APERTURE.end()) {
            throw refused("map of iova " + hex(iova) + ", " + bytes + " bytes; expected addresses below "
                    + hex(DmaLogs.APERTURE.end()) + " behind a vIOMMU");
        }
        lock.writeLock().lock();
        try {
            mappings.map(new IovaMapping(iova, gpa, bytes));
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Unmaps every mapping in a range, letting go what is pinned in it. While tracking is on, pages of it that devices have
     * written or may have are dirty at the next report, and told here: those in the log of a device that has one, of other
     * devices all that were pinned. A device whose log is asked must have ended its DMA to the range.
     *
     * @throws IommuException when the range would cut a mapping in two
     */
    public Unmapped unmap(long iova, long bytes) throws IommuException {
        checkRange("unmap", iova, bytes);
        long end = iova + bytes;
        lock.writeLock().lock();
        try {
            mappings.requireWhole(iova, end);
            List<IovaMapping> pinned = new ArrayList<>();
            for (DmaPort port : ports.all()) {
                logs.fetch(port, iova, end);
                pinned.addAll(ports.letGo(port, iova, end));
            }
            List<IovaMapping> dirty = account.dirty(mappings.pieces(iova, end));
            mappings.unmap(iova, end);
            return new Unmapped(pinned, dirty);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Where an I/O virtual address leads.
     *
     * @throws IommuException naming the address when nothing is mapped there
     */
    public long translate(long iova) throws IommuException {
        lock.readLock().lock();
        try {
            return mappings.require(iova).translate(iova);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Every mapping, by address: what an IOMMU notifier replays. */
    public List<IovaMapping> mappings() {
        lock.readLock().lock();
        try {
            return List.copyOf(mappings.all());
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Names of the attached devices, in the order in which they came. */
    public List<String> devices() {
        lock.readLock().lock();
        try {
            return ports.names();
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Starts tracking, and the logs of devices that have one: what was written or let go before is forgotten, so call it
     * before the first copy of RAM. A device whose log does not start is no reason not to go on: its pinned pages count as
     * {@link ReportingPolicy#PERSISTENT}.
     *
     * @return a warning for every such device
     */
    public List<String> startTracking() {
        lock.writeLock().lock();
        try {
            // a log starts afresh only when it has stopped
            logs.stop(ports.all());
            logs.takeWarnings();
            account.tracking(true);
            logs.start(ports.all());
            ports.repin();
            return logs.takeWarnings();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Stops tracking and forgets.
     *
     * @return a warning for every device whose log did not stop
     */
    public List<String> stopTracking() {
        lock.writeLock().lock();
        try {
            account.tracking(false);
            logs.stop(ports.all());
            ports.repin();
            return logs.takeWarnings();
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Whether tracking is on. */
    public boolean tracking() {
        lock.readLock().lock();
        try {
            return account.tracking();
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Pages pinned by anyone; a page pinned twice counts twice. */
    public long pinnedPages() {
        lock.readLock().lock();
        try {
            return ports.all().stream().mapToLong(PortTable::pinnedPages).sum();
        } finally {
            lock.readLock().unlock();
        }
    }

    /**
     * Reports into {@code dirty} the pages to send because devices wrote them or may have, and into {@code heldBack} those
     * known to be dirty at the stop, whose sending can wait until then: they count in every prediction, and are reported
     * into {@code dirty} when {@code stopped}. Only adds to {@code dirty}; from {@code heldBack} it also takes pages that
     * are pinned no more. Call it with {@code stopped} only when no device of this space runs.
     *
     * @throws IommuException when tracking is off
     */
    public DirtyReport report(boolean stopped, DirtyBitmap dirty, DirtyBitmap heldBack) throws IommuException {
        reporting.lock();
        lock.readLock().lock();
        try {
            if (!account.tracking()) {
                throw refused("asked for dirty pages while tracking is off");
            }
            logs.fetch(ports.all(), stopped);
            return account.report(stopped, dirty, heldBack, logs.takeWarnings());
        } finally {
            lock.readLock().unlock();
            reporting.unlock();
        }
    }

    void pin(DmaPort port, long iova, long bytes) throws IommuException {
        checkRange("pin", iova, bytes);
        lock.writeLock().lock();
        try {
            ports.pin(port, iova, iova + bytes);
        } finally {
            lock.writeLock().unlock();
        }
    }

    long unpin(DmaPort port, long iova, long bytes) throws IommuException {
        checkRange("unpin", iova, bytes);
        lock.writeLock().lock();
        try {
            ports.requireAttached(port);
            return ports.letGo(port, iova, iova + bytes).stream()
                            .mapToLong(IovaMapping::bytes)
                            .sum()
                    / PAGE;
        } finally {
            lock.writeLock().unlock();
        }
    }

    void detach(DmaPort port) {
        lock.writeLock().lock();
        try {
            ports.detach(port);
        } finally {
            lock.writeLock().unlock();
        }
    }

    long pinnedPages(DmaPort port) {
        lock.readLock().lock();
        try {
            return PortTable.pinnedPages(port);
        } finally {
            lock.readLock().unlock();
        }
    }

    void increment(DmaPort port, long iova, long pages, DmaWrites record) throws IommuException {
        if (pages == 0) {
            return;
        }
        checkRange("DMA write", iova, Math.multiplyExact(pages, PAGE));
        lock.readLock().lock();
        try {
            long end = iova + pages * PAGE;
            ports.requirePinned(port, iova, end);
            MemorySegment ram = memory.segment();
            for (IovaMapping piece : mappings.pieces(iova, end)) {
                for (long at = piece.gpa(); at < piece.gpa() + piece.bytes(); at += PAGE) {
                    ram.set(ValueLayout.JAVA_LONG, at, ram.get(ValueLayout.JAVA_LONG, at) + 1);
                }
            }
            record.wrote(iova, end - iova);
        } finally {
            lock.readLock().unlock();
        }
    }

    long counter(DmaPort port, long iova) throws IommuException {
        checkRange("DMA read", iova, PAGE);
        lock.readLock().lock();
        try {
            ports.requirePinned(port, iova, iova + PAGE);
            return memory.segment()
                    .get(ValueLayout.JAVA_LONG, mappings.require(iova).translate(iova));
        } finally {
            lock.readLock().unlock();
        }
    }

    private void checkRange(String what, long iova, long bytes) throws IommuException {
        if (iova < 0 || iova % PAGE != 0 || bytes <= 0 || bytes % PAGE != 0 || iova > Long.MAX_VALUE - bytes) {
            throw refused(what + " of iova " + hex(iova) + ", " + bytes + " bytes; expected whole pages of " + PAGE
                    + " bytes");
        }
    }

    private IommuException refused(String reason) {
        return mappings.refused(reason);
    }
}
