package io.godwit.proto.cluster;

/**
 * Whether enough coordinators see each other to decide anything. Counted are coordinators only, and against the number that
 * the operator has named: two groups that cannot see each other never both have a majority of that.
 */
public final class Quorum {
    private Quorum() {}

    /** How many coordinators have to be in sight of each other, of {@code named} that there should be. */
    public static int of(int named) {
        return Math.max(1, named) / 2 + 1;
    }
}
