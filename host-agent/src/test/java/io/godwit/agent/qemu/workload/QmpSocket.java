package io.godwit.agent.qemu.workload;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.Closeable;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** QMP by hand: one command at a time, events passed over. So that what tests see does not pass through what they test. */
public final class QmpSocket implements Closeable {
    /** QEMU's answer to a command that it did not carry out: its {@code desc}. */
    public static final class Refused extends IOException {
        Refused(String desc) {
            super(desc);
        }
    }

    private static final ObjectMapper JSON = new ObjectMapper();

    private final SocketChannel channel;
    private final BufferedReader lines;

    private QmpSocket(SocketChannel channel) {
        this.channel = channel;
        this.lines = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8));
    }

    /** Connects and negotiates. */
    public static QmpSocket open(Path socket) throws IOException {
        SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        try {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            channel.close();
            throw e;
        }
        QmpSocket qmp = new QmpSocket(channel);
        qmp.next();
        qmp.execute("qmp_capabilities", "{}");
        return qmp;
    }

    /** The command's {@code return}. */
    public JsonNode execute(String command, String arguments) throws IOException {
        ObjectNode request = JSON.createObjectNode().put("execute", command);
        request.set("arguments", JSON.readTree(arguments));
        ByteBuffer bytes = StandardCharsets.UTF_8.encode(request + "\n");
        while (bytes.hasRemaining()) {
            channel.write(bytes);
        }
        for (; ; ) {
            JsonNode answer = next();
            if (answer.has("error")) {
                throw new Refused(answer.path("error").path("desc").asText());
            }
            if (answer.has("return")) {
                return answer.path("return");
            }
        }
    }

    private JsonNode next() throws IOException {
        String line = lines.readLine();
        if (line == null) {
            throw new IOException("QEMU closed its QMP socket");
        }
        return JSON.readTree(line);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }
}
