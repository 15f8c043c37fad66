package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class UnixQmpLinkTest {
    @TempDir
    Path folder;

    private ServerSocketChannel listen() throws IOException {
        ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(folder.resolve("qmp")));
        return server;
    }

    private static void write(SocketChannel to, String text) throws IOException {
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(text);
        while (bytes.hasRemaining()) {
            to.write(bytes);
        }
    }

    @Test
    void readsLinesHoweverTheyAreCut() throws Exception {
        String letters = "ü".repeat(50);
        try (ServerSocketChannel server = listen();
                UnixQmpLink link = UnixQmpLink.open(folder.resolve("qmp"), 16, 4096);
                SocketChannel qemu = server.accept()) {
            write(qemu, "one\r\ntwo\nth");
            assertThat(link.readLine()).isEqualTo("one");
            assertThat(link.readLine()).isEqualTo("two");
            write(qemu, "ree\r\n\r\n" + letters + "\r\n");
            assertThat(link.readLine()).isEqualTo("three");
            assertThat(link.readLine()).isEmpty();
            assertThat(link.readLine()).isEqualTo(letters);
            qemu.shutdownOutput();
            assertThat(link.readLine()).isNull();
        }
    }

    @Test
    void writesLines() throws Exception {
        try (ServerSocketChannel server = listen();
                UnixQmpLink link = UnixQmpLink.open(folder.resolve("qmp"), 16, 4096);
                SocketChannel qemu = server.accept()) {
            link.writeLine("{\"execute\": \"query-status\"}");
            ByteBuffer bytes = ByteBuffer.allocate(100);
            while (bytes.position() == 0 || bytes.get(bytes.position() - 1) != '\n') {
                qemu.read(bytes);
            }
            assertThat(new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8))
                    .isEqualTo("{\"execute\": \"query-status\"}\r\n");
        }
    }

    @Test
    void aLineWithoutEndBreaksTheLink() throws Exception {
        try (ServerSocketChannel server = listen();
                UnixQmpLink link = UnixQmpLink.open(folder.resolve("qmp"), 16, 64);
                SocketChannel qemu = server.accept()) {
            write(qemu, "x".repeat(200));
            assertThatThrownBy(link::readLine).isInstanceOf(IOException.class).hasMessageContaining("over 64 bytes");
        }
    }

    @Test
    void aMissingSocketIsNamed() {
        assertThatThrownBy(() -> UnixQmpLink.open(folder.resolve("none"), 16, 64))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("none").toString());
    }
}
