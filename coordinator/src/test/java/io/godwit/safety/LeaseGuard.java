package io.godwit.safety;

/** What keeps a VM single that is started anew, one rule each. {@link LeaseModel} can run without any one of them. */
enum LeaseGuard {
    /** A host reckons its lease from when it sent the question; without: from when the answer came. */
    COUNTS_FROM_THE_QUESTION,
    /** The lender reckons with clocks that are fast or slow; without: with perfect ones. */
    DRIFT_IS_RECKONED_WITH,
    /** The lender leaves the guest time to stop; without: none. */
    STOPPING_TAKES_TIME,
    /** A vCPU looks at its lease before each batch; without: the agent stops it, once it is awake itself. */
    VCPUS_LOOK_FOR_THEMSELVES,
    /** Answers follow a round that is durable; without: a lender that has a successor answers as well. */
    A_ROUND_BEFORE_EVERY_ANSWER,
    /** The store refuses the second writer of a sequence number; without: it takes both. */
    ONE_WRITER,
    /** A new lender waits as long as a lease can last; without: it fences what it has not lent itself. */
    SUCCESSOR_WAITS_A_LEASE,
    /** The ledger moves when the fence is durable; without: when the lender knows of it. */
    FENCE_IS_DURABLE,
    /** No lease is lent under an epoch that is fenced off; without: whoever asks has one. */
    FENCED_EPOCHS_GET_NO_LEASE,
    /** The ledger moves when the lease is over; without: when the host has not been heard of. */
    WAITS_FOR_THE_LEASE
}
