package io.godwit.bench;

import java.util.Locale;
import java.util.regex.Pattern;

/** A named point of an evacuation's way, and how a coordinator's log shows that it has been reached. */
enum KillPoint {
    /** The evacuation has been asked for. */
    BEFORE_PLAN(""),
    /** The plan is made: the first migration has been asked for. */
    AFTER_PLAN(": PREPARING of vm "),
    /** The destination has made room, and pre-copy is asked for. */
    INCOMING_PREPARED(": PRE_COPY of vm "),
    /** Memory is being copied. */
    PRE_COPY(": PRE_COPY of vm "),
    /** The handoff is asked of the ledger. */
    HANDOFF_BEGUN(": HANDOFF of vm "),
    /** The handoff is open, and the source told to stop. */
    SOURCE_STOPPED(": SWITCHOVER of vm "),
    /** All has arrived, or was even committed: what is left of the switchover takes milliseconds. */
    LOADED(": (COMMITTING|RESUMING|RELEASING) of vm "),
    /** Committed. */
    COMMITTED(": (RESUMING|RELEASING) of vm "),
    /** The destination runs; the source is not cleaned up. */
    RESUMED(": RELEASING of vm "),
    /** One VM has moved, others have not. */
    BETWEEN_TWO_VMS(" COMPLETED: done");

    /** Milliseconds after the line at which the point itself is reached. */
    private static final int PRE_COPY_MS = 300;

    private final Pattern line;

    KillPoint(String line) {
        this.line = Pattern.compile("migration (\\S+?)" + line);
    }

    Pattern line() {
        return line;
    }

    int afterMs() {
        return this == PRE_COPY ? PRE_COPY_MS : 0;
    }

    /** Its name as people read it. */
    String text() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
