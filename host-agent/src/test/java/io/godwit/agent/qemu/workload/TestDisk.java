package io.godwit.agent.qemu.workload;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A disk image of a test, made by qemu-img, that several QEMUs may be given: what shared storage is to hosts.
 *
 * @param format {@code raw} or {@code qcow2}
 */
public record TestDisk(Path file, String format) {
    /** Makes an empty image; skips the test aloud where qemu-img is missing. */
    public static TestDisk create(Path file, String format, int mib) throws Exception {
        QemuProcess.need("qemu-img");
        Process process = new ProcessBuilder("qemu-img", "create", "-q", "-f", format, file.toString(), mib + "M")
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(said).isZero();
        return new TestDisk(file, format);
    }

    /** QEMU's arguments to have it as a virtio disk that can be written. */
    public List<String> writable() {
        return List.of("-drive", drive());
    }

    /** QEMU's arguments to have it as a virtio disk that can be read only. */
    public List<String> readOnly() {
        return List.of("-drive", drive() + ",readonly=on");
    }

    private String drive() {
        return "if=virtio,format=" + format + ",file=" + file.toString().replace(",", ",,");
    }
}
