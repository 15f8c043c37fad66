package io.godwit.bench;

import java.util.Locale;

/** A named point of an evacuation's way, and which line of a coordinator's log tells that it has been reached. */
enum KillPoint {
    /** The evacuation has been asked for. */
    BEFORE_PLAN(""),
    /** The plan is made: the first migration has been asked for. */
    AFTER_PLAN("PREPARING"),
    /** The destination has made room, and pre-copy is asked for. */
    INCOMING_PREPARED("PRE_COPY"),
    /** Memory is being copied. */
    PRE_COPY("PRE_COPY"),
    /** The handoff is asked of the ledger. */
    HANDOFF_BEGUN("HANDOFF"),
    /** The handoff is open, and the source told to stop. */
    SOURCE_STOPPED("SWITCHOVER"),
    /** All has arrived, and the ledger is about to write the commit: held there by {@link LedgerHold}. */
    LOADED("SWITCHOVER"),
    /** The commit is durable; the destination, held for the moment, does not know. */
    COMMITTED("SWITCHOVER"),
    /** The destination runs; the source, held for the moment, has not been told to let go. */
    RESUMED("RELEASING"),
    /** One VM has moved, others have not. */
    BETWEEN_TWO_VMS("COMPLETED");

    /** Milliseconds after the line at which the point itself is reached. */
    private static final int PRE_COPY_MS = 200;

    private final String phase;

    KillPoint(String phase) {
        this.phase = phase;
    }

    /** The phase that the migration's last line tells at this point; empty before there is one. */
    String phase() {
        return phase;
    }

    /** Whether milliseconds decide, so that the ledger has to be held to hit it. */
    boolean held() {
        return this == LOADED || this == COMMITTED || this == RESUMED;
    }

    int afterMs() {
        return this == PRE_COPY ? PRE_COPY_MS : 0;
    }

    /** Its name as people read it. */
    String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
