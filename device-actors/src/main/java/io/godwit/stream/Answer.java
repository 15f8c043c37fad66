package io.godwit.stream;

/** What the destination says to the source on the stream's way back. */
public sealed interface Answer {
    /** The preamble fits what was prepared: go on. */
    record Accepted() implements Answer {}

    /** The stream is refused, at whatever point; the destination keeps nothing of it. */
    record Refused(String reason) implements Answer {}

    /**
     * The initial data of every device with pre-copy is loaded: the source may stop. Comes once, and only if there is such
     * a device.
     */
    record SwitchoverReady() implements Answer {}

    /**
     * All is in place and, if {@code verified}, its digests were equal; the destination stands still. Its digests took
     * {@code digestMicros} microseconds.
     */
    record Loaded(boolean verified, long digestMicros) implements Answer {}

    /** The destination runs; it took {@code resumeMicros} microseconds to start devices and vCPUs. */
    record Running(long resumeMicros) implements Answer {}
}
