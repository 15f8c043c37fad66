package io.godwit.agent;

import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.Arrays;

/**
 * What a test needs of the machine. Where it is missing the test is skipped, and says so aloud; where
 * {@code -Dgodwit.require} (GODWIT_REQUIRE) names it, in a comma-separated list such as {@code kvm,qemu}, it fails instead.
 */
public final class Requirement {
    private Requirement() {}

    /**
     * Skips or fails the test unless what it needs is there.
     *
     * @param name as in {@code godwit.require}
     * @param detail why it is not there
     */
    public static void need(String name, boolean there, String detail) {
        if (there) {
            return;
        }
        String reason = "NOT TESTED: " + name + ": " + detail;
        if (Arrays.stream(System.getProperty("godwit.require", "").split(","))
                .map(String::strip)
                .anyMatch(name::equals)) {
            fail(reason);
        }
        System.err.println(reason);
        assumeTrue(false, reason);
    }
}
