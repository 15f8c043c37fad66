package io.godwit.plan.model;

/**
 * What a VM needs of a pool whose parts are told apart, such as NUMA nodes or GPUs that can be shared: so much in each of so many
 * different slots of its host.
 *
 * @param count slots, 1 or more
 * @param amount what it takes of each, in the pool's unit, 1 or more
 */
public record SlotNeed(int count, long amount) {
    /**
     * Checks the figures.
     *
     * @throws IllegalArgumentException when one is below 1
     */
    public SlotNeed {
        if (count < 1 || amount < 1) {
            throw new IllegalArgumentException(count + " slots with " + amount + " of each; expected 1 or more");
        }
    }
}
