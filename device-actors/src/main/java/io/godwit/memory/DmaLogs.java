package io.godwit.memory;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * Drives the logs of the devices in one address space. A log that cannot be started, or started anew after a fault, is
 * made up for: its device's pinned pages count as {@link ReportingPolicy#PERSISTENT} until tracking stops, so that the
 * prediction stays honest and no write is lost. The space's lock guards it; where only its read lock is held, the caller
 * sees to it that no two of these calls meet.
 */
final class DmaLogs {
    /** The I/O virtual addresses that a guest may use behind a vIOMMU: 48 bits, as 4-level page tables have. */
    static final IovaRange APERTURE = new IovaRange(0, 1L << 48);

    private final IovaTable table;
    private final DirtyAccount account;
    private final boolean viommu;
    private final List<String> warnings = new ArrayList<>();

    DmaLogs(IovaTable table, DirtyAccount account, boolean viommu) {
        this.table = table;
        this.account = account;
        this.viommu = viommu;
    }

    /** Has every device that can log what it writes from here on. */
    void start(Collection<DmaPort> ports) {
        for (DmaPort port : ports) {
            DmaLogging logging = port.logging();
            if (logging != null) {
                try {
                    start(port, logging);
                } catch (DmaLoggingException e) {
                    warnings.add("device " + port.device() + ": DMA logging could not be started (" + e.getMessage()
                            + "): all its pinned pages count as dirty until tracking stops");
                    port.logLost();
                }
            }
        }
    }

    void stop(Collection<DmaPort> ports) {
        ports.forEach(this::stop);
    }

    /** A device that came while tracking was on is not logged. */
    void cameLate(DmaPort port) {
        if (port.logging() != null) {
            port.logLost();
        }
    }

    /** Reads every log back, before a report. One that is at fault is started anew, unless nothing runs any more. */
    void fetch(Collection<DmaPort> ports, boolean stopped) {
        for (DmaPort port : ports) {
            fetch(port, stopped);
        }
    }

    private void fetch(DmaPort port, boolean stopped) {
        DmaLogSession session = port.session();
        if (session != null) {
            try {
                session.fetchAll(table, account.written());
            } catch (DmaLoggingException e) {
                lost(port, session, e, stopped);
            }
            port.pins().all().forEach(span -> markUncovered(session, span));
        }
    }

    /** Reads back what a device's log says of a range that is about to go. */
    void fetch(DmaPort port, long start, long end) {
        DmaLogSession session = port.session();
        if (session != null) {
            try {
                session.fetch(table, start, end, account.written());
            } catch (DmaLoggingException e) {
                lost(port, session, e, false);
            }
        }
    }

    /** Pins of a device are let go: what of them it does not log is dirty. */
    void letGo(DmaPort port, IovaRanges.Span span) {
        DmaLogSession session = port.session();
        if (session != null) {
            markUncovered(session, span);
        }
    }

    /** A device goes: reads its log back and stops it. */
    void detach(DmaPort port) {
        fetch(port, true);
        stop(port);
    }

    /** What was at fault since the last call. */
    List<String> takeWarnings() {
        List<String> taken = List.copyOf(warnings);
        warnings.clear();
        return taken;
    }

    private void start(DmaPort port, DmaLogging logging) throws DmaLoggingException {
        // a guest may map anything anywhere behind a vIOMMU, so all of it is logged
        List<IovaRange> ranges = viommu ? List.of(APERTURE) : LogRanges.merge(table.all(), logging.rangesMax());
        if (ranges.isEmpty()) {
            // a log of nothing cannot be asked for; what is mapped and pinned later counts as dirty
            port.logLost();
        } else {
            port.logs(DmaLogSession.start(logging, ranges));
        }
    }

    private void stop(DmaPort port) {
        DmaLogSession session = port.session();
        port.logs(null);
        if (session != null) {
            try {
                session.stop();
            } catch (DmaLoggingException e) {
                warnings.add("device " + port.device() + ": DMA logging did not stop: " + e.getMessage());
            }
        }
    }

    private void lost(DmaPort port, DmaLogSession session, DmaLoggingException why, boolean stopped) {
        String after = "all its pinned pages count as dirty at this sync";
        DmaLogging logging = port.logging();
        if (!stopped && logging != null) {
            // before the pages are marked: what is written from here on is in the new log, what was written before is
            // marked
            try {
                session.stop();
                start(port, logging);
            } catch (DmaLoggingException e) {
                port.logLost();
                port.pins()
                        .all()
                        .forEach(span -> account.pinned(port.counted(), table.pieces(span.start(), span.end())));
                after = "all its pinned pages count as dirty until tracking stops, for the log does not start anew ("
                        + e.getMessage() + ")";
            }
        }
        port.pins().all().forEach(span -> table.mark(span.start(), span.end(), account.written()));
        warnings.add("device " + port.device() + ": its DMA log is lost (" + why.getMessage() + "): " + after);
    }

    private void markUncovered(DmaLogSession session, IovaRanges.Span span) {
        if (!session.covers(span.start(), span.end())) {
            table.mark(span.start(), span.end(), account.written());
        }
    }
}
