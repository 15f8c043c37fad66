package io.godwit.agent.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Memory of this machine, as the kernel counts it. */
final class MachineMemory {
    private static final Path MEMINFO = Path.of("/proc/meminfo");
    private static final String AVAILABLE = "MemAvailable:";

    private MachineMemory() {}

    /** What new processes can have without swapping, in bytes; the most there is where the kernel does not say. */
    static long available() {
        try {
            return available(Files.readAllLines(MEMINFO));
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    /** The same of the lines of {@code /proc/meminfo}, such as {@code MemAvailable:   23456 kB}. */
    static long available(List<String> meminfo) {
        for (String line : meminfo) {
            if (line.startsWith(AVAILABLE)) {
                String[] words = line.substring(AVAILABLE.length()).strip().split(" ", -1);
                return Long.parseLong(words[0]) * 1024;
            }
        }
        return Long.MAX_VALUE;
    }
}
