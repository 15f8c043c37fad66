package io.godwit.safety;

/** What keeps a VM single, one rule each. The model can run without any one of them, to show that each is needed. */
enum Guard {
    /** A source that has surrendered runs again only under a grant; without: when its stream breaks, as others do it. */
    SURRENDERED_WAITS_FOR_A_GRANT,
    /** A source stops only under a durable handoff; without: when it is ready. */
    STOPS_UNDER_AN_OPEN_HANDOFF,
    /** A loaded destination runs only once it is committed; without: as soon as it is loaded. */
    DESTINATION_WAITS_FOR_THE_COMMIT,
    /** A destination asks for the commit once it has everything; without: when it is ready to receive. */
    COMMITS_ONLY_WHEN_LOADED,
    /** A grant counts only with a higher epoch than the copy has; without: any that names the host. */
    GRANTS_HAVE_NEWER_EPOCHS,
    /** The store refuses the second writer of a sequence number; without: a cut-off ledger goes on writing. */
    ONE_WRITER,
    /** The ledger answers when its decision is durable; without: before, and a crash forgets it. */
    DURABLE_BEFORE_ANSWERED,
    /** A migration goes back only when the ledger has aborted; without: it tells the source to run at once. */
    ABORTS_THROUGH_THE_LEDGER,
    /** What was aborted is never committed; without: a late commit is. */
    ABORT_EXCLUDES_COMMIT,
    /** An abort moves the epoch on; without: it stays. */
    ABORT_MOVES_THE_EPOCH,
    /** A source keeps its copy until the commit; without: until all is sent. */
    SOURCE_KEEPS_ITS_COPY,
    /** What the ledger does not grant is cleared away; without: it stays for ever. */
    LEFTOVERS_ARE_CLEARED
}
