package io.godwit.plan.schedule;

/** Random numbers as a pure function of a seed and a position (SplitMix64): the same everywhere, with nothing to allocate. */
final class Noise {
    private Noise() {}

    /** In [0, 1). */
    static double of(long seed, long position) {
        return (mix(seed + position * 0x9E3779B97F4A7C15L) >>> 11) * 0x1.0p-53;
    }

    /** In [0, bound). */
    static int below(long seed, long position, int bound) {
        return (int) (of(seed, position) * bound);
    }

    private static long mix(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
