package io.godwit.memory;

import static io.godwit.memory.IovaTable.hex;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The devices of one address space and what each has pinned, kept in step with the account. The space's lock guards it. */
final class PortTable {
    private final IovaTable mappings;
    private final DirtyAccount account;
    private final DmaLogs logs;
    private final Map<String, DmaPort> ports = new LinkedHashMap<>();

    PortTable(IovaTable mappings, DirtyAccount account, DmaLogs logs) {
        this.mappings = mappings;
        this.account = account;
        this.logs = logs;
    }

    /** All of them, in the order in which they came; a view. */
    Collection<DmaPort> all() {
        return Collections.unmodifiableCollection(ports.values());
    }

    /** Names of all of them, in that order. */
    List<String> names() {
        return List.copyOf(ports.keySet());
    }

    void attach(DmaPort port) throws IommuException {
        if (ports.containsKey(port.device())) {
            throw mappings.refused("device " + port.device() + " is attached already");
        }
        if (account.tracking()) {
            logs.cameLate(port);
        }
        ports.put(port.device(), port);
    }

    /** Lets all go that it has pinned; nothing when it is not there. */
    void detach(DmaPort port) {
        if (ports.get(port.device()) == port) {
            logs.detach(port);
            letGo(port, 0, Long.MAX_VALUE);
            ports.remove(port.device());
        }
    }

    void pin(DmaPort port, long start, long end) throws IommuException {
        requireAttached(port);
        if (port.pins().overlaps(start, end)) {
            throw mappings.refused("device " + port.device() + " pins iova " + hex(start) + ", " + (end - start)
                    + " bytes, some of which it has pinned already");
        }
        for (long at = start; at < end; ) {
            at = mappings.require(at).end();
        }
        port.pins().add(start, end);
        account.pinned(port.counted(), mappings.pieces(start, end));
    }

    /**
     * Unpins and accounts; the mappings must still be there.
     *
     * @return what was pinned, by mapping
     */
    List<IovaMapping> letGo(DmaPort port, long start, long end) {
        List<IovaMapping> gone = new ArrayList<>();
        for (IovaRanges.Span span : port.pins().remove(start, end)) {
            logs.letGo(port, span);
            gone.addAll(mappings.pieces(span.start(), span.end()));
        }
        if (!account.letGo(port.counted(), gone)) {
            repin();
        }
        return gone;
    }

    /** Tells the account anew of every pin. */
    void repin() {
        account.forgetPins();
        for (DmaPort port : ports.values()) {
            port.pins()
                    .all()
                    .forEach(span -> account.pinned(port.counted(), mappings.pieces(span.start(), span.end())));
        }
    }

    /** Refuses DMA to what the device has not pinned, naming the first address. */
    void requirePinned(DmaPort port, long start, long end) throws IommuException {
        long gap = port.pins().firstGap(start, end);
        if (gap < end) {
            mappings.require(gap);
            throw mappings.refused(
                    "DMA by device " + port.device() + " to iova " + hex(gap) + ", which it has not pinned");
        }
    }

    void requireAttached(DmaPort port) throws IommuException {
        if (ports.get(port.device()) != port) {
            throw mappings.refused("device " + port.device() + " is not attached");
        }
    }

    /** Pages pinned by it. */
    static long pinnedPages(DmaPort port) {
        return port.pins().all().stream().mapToLong(DmaPort::pages).sum();
    }
}
