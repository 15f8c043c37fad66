package io.godwit.bench;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Gives each of a benchmark's agents cores of its own, as hosts have. Without it Linux puts the two ends of a loopback
 * connection on one core as often as not, and one stream is twice as fast as the next for no reason that a host would know.
 */
final class OwnCores {
    private static final long SECONDS_MAX = 10;

    private OwnCores() {}

    /**
     * Splits {@code cores} among the processes evenly, with taskset(1) of util-linux.
     *
     * @return whether it did; not so with fewer cores than processes, or without taskset
     */
    static boolean give(List<Long> pids, int cores) throws IOException, InterruptedException {
        if (cores < pids.size()) {
            return false;
        }
        for (int i = 0; i < pids.size(); i++) {
            if (!pinned(pids.get(i), share(i, pids.size(), cores))) {
                return false;
            }
        }
        return true;
    }

    /** What a command begins with, so that it runs where the {@code i}th of {@code of} processes does. */
    static List<String> of(int i, int of, int cores) {
        return List.of("taskset", "--cpu-list", share(i, of, cores));
    }

    private static String share(int i, int of, int cores) {
        return i * cores / of + "-" + ((i + 1) * cores / of - 1);
    }

    private static boolean pinned(long pid, String cores) throws IOException, InterruptedException {
        Process taskset;
        try {
            taskset = new ProcessBuilder("taskset", "--all-tasks", "--cpu-list", "--pid", cores, String.valueOf(pid))
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            return false;
        }
        if (!taskset.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
            taskset.destroyForcibly();
            throw new IOException("taskset has not ended within " + SECONDS_MAX + " s");
        }
        return taskset.exitValue() == 0;
    }
}
