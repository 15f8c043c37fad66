package io.godwit.stream;

/** The finalizer of splitmix64 (Steele, Lea, Flood 2014): a bijection under which every input bit moves every output bit. */
final class Mix {
    private Mix() {}

    static long of(long value) {
        long z = value + 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
