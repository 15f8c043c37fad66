package io.godwit.agent.qemu;

/**
 * Version of a QEMU, from its greeting.
 *
 * @param packaging what the distribution adds, such as {@code Debian 1:7.2+dfsg-7}; may be empty
 */
public record QmpVersion(int major, int minor, int micro, String packaging) {
    /** Whether it is {@code major.minor} or later. */
    public boolean atLeast(int wantedMajor, int wantedMinor) {
        return major > wantedMajor || (major == wantedMajor && minor >= wantedMinor);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + micro + (packaging.isEmpty() ? "" : " (" + packaging + ")");
    }
}
