package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NoDelayTest {
    private static final long OURS = ProcessHandle.current().pid();

    @TempDir
    Path folder;

    @Test
    void tcpConnectionsOfAProcessSendAtOnceAndStayOpen() throws IOException {
        try (ServerSocketChannel listener =
                        ServerSocketChannel.open().bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
                SocketChannel connection = SocketChannel.open(listener.getLocalAddress())) {
            try (SocketChannel accepted = listener.accept()) {
                assertThat(connection.getOption(StandardSocketOptions.TCP_NODELAY))
                        .isFalse();

                assertThat(NoDelay.set(OURS)).isGreaterThanOrEqualTo(2);

                assertThat(connection.getOption(StandardSocketOptions.TCP_NODELAY))
                        .isTrue();
                assertThat(accepted.getOption(StandardSocketOptions.TCP_NODELAY))
                        .isTrue();
            }
            // the end of one is the end of the other: nothing here keeps it open
            assertThat(connection.read(ByteBuffer.allocate(1))).isEqualTo(-1);
        }
    }

    @Test
    void otherSocketsAreLeftAlone() throws IOException {
        UnixDomainSocketAddress address = UnixDomainSocketAddress.of(folder.resolve("s"));
        int before = NoDelay.set(OURS);
        try (ServerSocketChannel listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(address);
            try (SocketChannel connection = SocketChannel.open(address)) {
                assertThat(connection.isConnected()).isTrue();
                assertThat(NoDelay.set(OURS)).isEqualTo(before);
            }
        }
    }

    @Test
    void aProcessThatIsGoneIsNamed() throws Exception {
        Process gone = new ProcessBuilder("true").start();
        gone.waitFor();
        assertThatThrownBy(() -> NoDelay.set(gone.pid()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(String.valueOf(gone.pid()));
    }
}
