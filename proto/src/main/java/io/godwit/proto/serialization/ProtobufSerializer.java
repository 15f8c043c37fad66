package io.godwit.proto.serialization;

import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import io.godwit.proto.WireMessage;
import java.io.IOException;
import java.io.NotSerializableException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.ByteBufferSerializer;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Writes every {@link WireMessage}: messages between nodes and persisted events. The manifest is the simple name of the
 * Protobuf message, never a Java class name, so records may move between packages. Which records there are is said by
 * {@code godwit.serialization.protobuf}; an actor system does not start when one of them does not fit its message.
 */
public final class ProtobufSerializer extends SerializerWithStringManifest implements ByteBufferSerializer {
    /** Fixed for ever: journals hold it. Pekko's own are at most 40. */
    public static final int IDENTIFIER = 4700;

    private static final String TABLE = "godwit.serialization.protobuf";

    private final RecordCodec codec;

    /** Called by Pekko. */
    public ProtobufSerializer(ExtendedActorSystem system) {
        ClassLoader loader = system.dynamicAccess().classLoader();
        this.codec = new RecordCodec(
                ActorRefResolver.get(Adapter.toTyped(system)),
                MessageTypes.generated(loader),
                RecordFinder.wireRecords(system.settings().config().getConfig(TABLE), TABLE, loader));
    }

    /** What it maps. */
    public RecordCodec codec() {
        return codec;
    }

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    /** Throws {@link NotSerializableException} for an unknown class. */
    @Override
    public String manifest(Object record) {
        try {
            return codec.manifest(record);
        } catch (NotSerializableException e) {
            throw Unchecked.rethrow(e);
        }
    }

    /** Throws {@link NotSerializableException} for an unknown class. */
    @Override
    public byte[] toBinary(Object record) {
        return message(record).toByteArray();
    }

    @Override
    public void toBinary(Object record, ByteBuffer into) {
        Message message = message(record);
        if (message.getSerializedSize() > into.remaining()) {
            throw new BufferOverflowException(); // Artery's signal that its frame is too small
        }
        CodedOutputStream out = CodedOutputStream.newInstance(into);
        try {
            message.writeTo(out);
            out.flush();
        } catch (IOException e) {
            throw new IllegalStateException(
                    "a buffer of sufficient size refused " + record.getClass().getName(), e);
        }
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
        return codec.read(manifest, ByteBuffer.wrap(bytes));
    }

    @Override
    public Object fromBinary(ByteBuffer bytes, String manifest) throws NotSerializableException {
        return codec.read(manifest, bytes);
    }

    private Message message(Object record) {
        try {
            return codec.toMessage(record);
        } catch (NotSerializableException e) {
            throw Unchecked.rethrow(e);
        }
    }
}
