package io.godwit.bench;

/**
 * When the steps of one migration happened, in microseconds since 1970; but for the first and the last by QEMU's own word, and all
 * QEMUs of a machine have one clock.
 *
 * @param asked just before it was asked for: the destination's QEMU is not there yet
 * @param listened when the destination had been told to listen: both QEMUs are there
 * @param stopped when the vCPUs stopped
 * @param ran when they ran at the destination
 * @param gone when it was known to be over, and the source's QEMU gone
 * @param trace events of both QEMUs, in milliseconds since the stop
 */
record QemuRun(long asked, long listened, long stopped, long ran, long gone, String trace) {
    /** Both QEMUs there until it runs at the destination, milliseconds. */
    double totalMs() {
        return (ran - listened) / 1e3;
    }

    /** From the request on, the destination's start included, milliseconds. */
    double fromRequestMs() {
        return (ran - asked) / 1e3;
    }

    /** From the request until nothing is left to do, milliseconds. */
    double toTheEndMs() {
        return (gone - asked) / 1e3;
    }

    /** Milliseconds. */
    double standstillMs() {
        return (ran - stopped) / 1e3;
    }

    /** From the events that the two monitors have seen. {@code asked}, {@code ran}, {@code gone}: as of the record. */
    static QemuRun of(QmpTap source, QmpTap destination, long asked, long ran, long gone) {
        long stopped = source.last("STOP", ran).orElseThrow();
        return new QemuRun(
                asked,
                // said before the monitor was open, once in a while: then all of the way there counts
                destination.first("MIGRATION", "setup", asked).orElse(asked),
                stopped,
                ran,
                gone,
                "source: " + source.trace(asked, stopped) + "; destination: " + destination.trace(asked, stopped));
    }
}
