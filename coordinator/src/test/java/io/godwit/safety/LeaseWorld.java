package io.godwit.safety;

/**
 * One state of {@link LeaseModel}. Times are in ticks of true time; leases in units of the host's own clock.
 *
 * @param tick now
 * @param until when host a's lease is over, by its own clock
 * @param asleep whether host a's process is stopped
 * @param wokeAt whether it was continued in this tick: then its tick, else -1
 * @param sleeps how often it may still be stopped
 * @param asked questions that host a sent, a bit for the tick of each; any may arrive at any time, or never
 * @param lent answers to them that were given, likewise
 * @param first the lender at the beginning
 * @param second its successor; not there at first
 * @param journalled writes of the lenders
 * @param fenced whether the fence is durable
 * @param moved whether the ledger has given the VM to host b, which runs it from then on
 */
record LeaseWorld(
        int tick,
        int until,
        boolean asleep,
        int wokeAt,
        int sleeps,
        int asked,
        int lent,
        Lender first,
        Lender second,
        int journalled,
        boolean fenced,
        boolean moved) {

    /**
     * A lender.
     *
     * @param seen writes that it knows of; -1 when it is not there, or was refused by the store and is gone
     * @param begun when its first round was durable; -1 for not yet
     * @param answered when it last gave an answer; -1 for never
     * @param written questions whose round is durable and whose answer is not given yet
     * @param fenced whether it knows of a fence
     * @param rounds how many more it may hold
     */
    record Lender(int seen, int begun, int answered, int written, boolean fenced, int rounds) {
        boolean there() {
            return seen >= 0;
        }

        Lender gone() {
            return new Lender(-1, -1, -1, 0, false, 0);
        }
    }

    LeaseWorld with(boolean isFirst, Lender now) {
        return new LeaseWorld(
                tick,
                until,
                asleep,
                wokeAt,
                sleeps,
                asked,
                lent,
                isFirst ? now : first,
                isFirst ? second : now,
                journalled,
                fenced,
                moved);
    }

    LeaseWorld withHost(int newUntil, boolean nowAsleep, int nowWokeAt, int sleepsLeft, int nowAsked) {
        return new LeaseWorld(
                tick,
                newUntil,
                nowAsleep,
                nowWokeAt,
                sleepsLeft,
                nowAsked,
                lent,
                first,
                second,
                journalled,
                fenced,
                moved);
    }

    LeaseWorld withLent(int nowLent) {
        return new LeaseWorld(
                tick, until, asleep, wokeAt, sleeps, asked, nowLent, first, second, journalled, fenced, moved);
    }

    LeaseWorld withJournal(int writes, boolean nowFenced) {
        return new LeaseWorld(
                tick, until, asleep, wokeAt, sleeps, asked, lent, first, second, writes, nowFenced, moved);
    }

    /** @param leaseLeft what is left of host a's lease when it is worth knowing; questions and answers that matter still */
    LeaseWorld ticked(int leaseLeft, int nowLent) {
        return new LeaseWorld(
                tick + 1, leaseLeft, asleep, -1, sleeps, asked, nowLent, first, second, journalled, fenced, moved);
    }

    LeaseWorld movedOn() {
        return new LeaseWorld(
                tick, until, asleep, wokeAt, sleeps, asked, lent, first, second, journalled, fenced, true);
    }
}
