package io.godwit.memory;

import com.typesafe.config.Config;
import io.godwit.vm.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;

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
    private final int mappingsMax;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final TreeMap<Long, IovaMapping> mappings = new TreeMap<>();
    private final Map<String, DmaPort> ports = new LinkedHashMap<>();
    private final DirtyAccount account;

    /** Empty, over {@code memory}, for at most {@code mappingsMax} mappings. */
    public IommuSpace(String name, GuestMemory memory, int mappingsMax) {
        this.name = name;
        this.memory = memory;
        this.mappingsMax = mappingsMax;
        this.account = new DirtyAccount(memory.pages());
    }

    /** Empty, with the limit of {@code godwit.memory.mappings-max} in {@code config}. */
    public static IommuSpace of(String name, GuestMemory memory, Config config) {
        return new IommuSpace(name, memory, config.getInt("godwit.memory.mappings-max"));
    }

    /** Its name, which is its container's. */
    public String name() {
        return name;
    }

    /** Lets a device in, which pins under {@code policy}. */
    public DmaPort attach(String device, ReportingPolicy policy) throws IommuException {
        lock.writeLock().lock();
        try {
            if (ports.containsKey(device)) {
                throw refused("device " + device + " is attached already");
            }
            DmaPort port = new DmaPort(this, device, policy);
            ports.put(device, port);
            return port;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Maps a range.
     *
     * @throws IommuException when it is not whole pages, overlaps a mapping, lies outside guest memory or is one too many
     */
    public void map(long iova, long gpa, long bytes) throws IommuException {
        checkRange("map", iova, bytes);
        if (gpa < 0 || gpa % PAGE != 0 || gpa > memory.bytes() - bytes) {
            throw refused("map of iova " + hex(iova) + " to gpa " + hex(gpa) + ", " + bytes
                    + " bytes; expected whole pages within " + memory.bytes() + " bytes of guest memory");
        }
        lock.writeLock().lock();
        try {
            Map.Entry<Long, IovaMapping> below = mappings.lowerEntry(iova + bytes);
            if (below != null && below.getValue().end() > iova) {
                throw refused("map of iova " + hex(iova) + ", " + bytes + " bytes, overlaps the mapping at "
                        + hex(below.getKey()));
            }
            if (mappings.size() >= mappingsMax) {
                throw refused(
                        "map of iova " + hex(iova) + ": there are " + mappingsMax + " mappings, the most allowed");
            }
            mappings.put(iova, new IovaMapping(iova, gpa, bytes));
        } finally {
            lock.writeLock().unlock();
        }
    }

    /**
     * Unmaps every mapping in a range, letting go what is pinned in it; while tracking is on, pages that may have been
     * written are dirty at the next report.
     *
     * @return the guest physical ranges that were pinned, by mapping
     * @throws IommuException when the range would cut a mapping in two
     */
    public List<IovaMapping> unmap(long iova, long bytes) throws IommuException {
        checkRange("unmap", iova, bytes);
        lock.writeLock().lock();
        try {
            for (long edge : new long[] {iova, iova + bytes}) {
                Map.Entry<Long, IovaMapping> below = mappings.lowerEntry(edge);
                if (below != null && below.getValue().end() > edge) {
                    throw refused("unmap of iova " + hex(iova) + ", " + bytes + " bytes, cuts the mapping at "
                            + hex(below.getKey()) + " in two; expected whole mappings");
                }
            }
            List<IovaMapping> pinned = new ArrayList<>();
            for (DmaPort port : ports.values()) {
                pinned.addAll(letGo(port, iova, iova + bytes));
            }
            mappings.subMap(iova, iova + bytes).clear();
            return List.copyOf(pinned);
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
            return mappingAt(iova).translate(iova);
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Every mapping, by address: what an IOMMU notifier replays. */
    public List<IovaMapping> mappings() {
        lock.readLock().lock();
        try {
            return List.copyOf(mappings.values());
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Names of the attached devices, in the order in which they came. */
    public List<String> devices() {
        lock.readLock().lock();
        try {
            return List.copyOf(ports.keySet());
        } finally {
            lock.readLock().unlock();
        }
    }

    /** Starts tracking: what was written or let go before is forgotten, so call it before the first copy of RAM. */
    public void startTracking() {
        setTracking(true);
    }

    /** Stops tracking and forgets. */
    public void stopTracking() {
        setTracking(false);
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
            return ports.values().stream().mapToLong(IommuSpace::pinned).sum();
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
        lock.readLock().lock();
        try {
            if (!account.tracking()) {
                throw refused("asked for dirty pages while tracking is off");
            }
            return account.report(stopped, dirty, heldBack);
        } finally {
            lock.readLock().unlock();
        }
    }

    void pin(DmaPort port, long iova, long bytes) throws IommuException {
        checkRange("pin", iova, bytes);
        lock.writeLock().lock();
        try {
            checkAttached(port);
            if (port.pins().overlaps(iova, iova + bytes)) {
                throw refused("device " + port.device() + " pins iova " + hex(iova) + ", " + bytes
                        + " bytes, some of which it has pinned already");
            }
            for (long at = iova; at < iova + bytes; at = mappingAt(at).end()) {
                mappingAt(at);
            }
            port.pins().add(iova, iova + bytes);
            account.pinned(port.policy(), pieces(iova, iova + bytes));
        } finally {
            lock.writeLock().unlock();
        }
    }

    long unpin(DmaPort port, long iova, long bytes) throws IommuException {
        checkRange("unpin", iova, bytes);
        lock.writeLock().lock();
        try {
            checkAttached(port);
            return letGo(port, iova, iova + bytes).stream()
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
            letGo(port, 0, Long.MAX_VALUE);
            ports.remove(port.device(), port);
        } finally {
            lock.writeLock().unlock();
        }
    }

    long pinnedPages(DmaPort port) {
        lock.readLock().lock();
        try {
            return pinned(port);
        } finally {
            lock.readLock().unlock();
        }
    }

    void increment(DmaPort port, long iova, long pages) throws IommuException {
        if (pages == 0) {
            return;
        }
        checkRange("DMA write", iova, Math.multiplyExact(pages, PAGE));
        lock.readLock().lock();
        try {
            long end = iova + pages * PAGE;
            checkPinned(port, iova, end);
            MemorySegment ram = memory.segment();
            for (IovaMapping piece : pieces(iova, end)) {
                for (long at = piece.gpa(); at < piece.gpa() + piece.bytes(); at += PAGE) {
                    ram.set(ValueLayout.JAVA_LONG, at, ram.get(ValueLayout.JAVA_LONG, at) + 1);
                }
                account.wrote(port.policy(), piece);
            }
        } finally {
            lock.readLock().unlock();
        }
    }

    long counter(DmaPort port, long iova) throws IommuException {
        checkRange("DMA read", iova, PAGE);
        lock.readLock().lock();
        try {
            checkPinned(port, iova, iova + PAGE);
            return memory.segment().get(ValueLayout.JAVA_LONG, mappingAt(iova).translate(iova));
        } finally {
            lock.readLock().unlock();
        }
    }

    private void setTracking(boolean on) {
        lock.writeLock().lock();
        try {
            account.tracking(on);
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** Unpins and accounts; the mappings must still be there. Under the write lock. */
    private List<IovaMapping> letGo(DmaPort port, long start, long end) {
        List<IovaMapping> gone = new ArrayList<>();
        for (IovaRanges.Span span : port.pins().remove(start, end)) {
            gone.addAll(pieces(span.start(), span.end()));
        }
        if (!gone.isEmpty()) {
            account.letGo(port.policy(), gone);
            for (DmaPort other : ports.values()) {
                if (other.policy() == port.policy()) {
                    other.pins()
                            .all()
                            .forEach(span -> account.pinned(other.policy(), pieces(span.start(), span.end())));
                }
            }
        }
        return gone;
    }

    /** The range cut at the borders of mappings. What is pinned is mapped, so a gap here is our own mistake. */
    private List<IovaMapping> pieces(long start, long end) {
        List<IovaMapping> pieces = new ArrayList<>();
        long at = start;
        while (at < end) {
            Map.Entry<Long, IovaMapping> floor = mappings.floorEntry(at);
            if (floor == null || floor.getValue().end() <= at) {
                throw new IllegalStateException("container " + name + ": iova " + hex(at) + " is pinned, not mapped");
            }
            long next = Math.min(end, floor.getValue().end());
            pieces.add(new IovaMapping(at, floor.getValue().translate(at), next - at));
            at = next;
        }
        return pieces;
    }

    private IovaMapping mappingAt(long iova) throws IommuException {
        Map.Entry<Long, IovaMapping> floor = mappings.floorEntry(iova);
        if (floor == null || floor.getValue().end() <= iova) {
            throw refused("nothing is mapped at iova " + hex(iova));
        }
        return floor.getValue();
    }

    private void checkPinned(DmaPort port, long start, long end) throws IommuException {
        long gap = port.pins().firstGap(start, end);
        if (gap < end) {
            mappingAt(gap);
            throw refused("DMA by device " + port.device() + " to iova " + hex(gap) + ", which it has not pinned");
        }
    }

    private void checkAttached(DmaPort port) throws IommuException {
        if (ports.get(port.device()) != port) {
            throw refused("device " + port.device() + " is not attached");
        }
    }

    private void checkRange(String what, long iova, long bytes) throws IommuException {
        if (iova < 0 || iova % PAGE != 0 || bytes <= 0 || bytes % PAGE != 0 || iova > Long.MAX_VALUE - bytes) {
            throw refused(what + " of iova " + hex(iova) + ", " + bytes + " bytes; expected whole pages of " + PAGE
                    + " bytes");
        }
    }

    private IommuException refused(String reason) {
        return new IommuException("container " + name + ": " + reason);
    }

    private static long pinned(DmaPort port) {
        return port.pins().all().stream().mapToLong(DmaPort::pages).sum();
    }

    private static String hex(long address) {
        return "0x" + Long.toHexString(address);
    }
}
