package io.godwit.evacuation;

/** Where one VM of an evacuation stands. */
public enum RowState {
    /** It waits for its turn, or for another destination. */
    WAITING,
    /** A migration moves it. */
    MIGRATING,
    /** It runs elsewhere. */
    MOVED,
    /** No host can take it. */
    UNPLACEABLE,
    /** It died with its host. */
    LOST,
    /** It could not be moved, and stays. */
    FAILED,
    /** It was to make room for others, which do not need that any more, and stays. */
    STAYS;

    /** Whether nothing more will happen to it. */
    public boolean settled() {
        return this != WAITING && this != MIGRATING;
    }
}
