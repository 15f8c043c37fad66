package io.godwit.proto.serialization;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.util.Pool;
import com.typesafe.config.Config;
import io.godwit.proto.KryoMessage;
import java.io.NotSerializableException;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.zip.CRC32C;
import org.apache.pekko.actor.ExtendedActorSystem;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.ByteBufferSerializer;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/**
 * Writes every {@link KryoMessage}: snapshots and progress reports, all of which may be thrown away. Every class must
 * have a fixed id in {@code godwit.serialization.kryo}; the manifest is that id. Bytes of a version whose records had
 * other components are refused: a snapshot is then dropped and its events replayed.
 */
public final class KryoSerializer extends SerializerWithStringManifest implements ByteBufferSerializer {
    /** Fixed for ever: snapshot stores hold it. */
    public static final int IDENTIFIER = 4701;

    private static final String TABLE = "godwit.serialization.kryo";
    /** CRC32C in front: Kryo allocates whatever length a damaged byte tells it. */
    private static final int CHECKSUM_BYTES = Integer.BYTES;

    private static final int FIRST_BUFFER_BYTES = 512; // a progress report fits; the buffer grows from here

    private final NavigableMap<Integer, Class<?>> table;
    private final Map<Class<?>, String> manifests = new HashMap<>();
    private final Pool<Kryo> pool;
    private final int bytesMax;

    /** Called by Pekko. */
    public KryoSerializer(ExtendedActorSystem system) {
        Config config = system.settings().config();
        ActorRefResolver refs = ActorRefResolver.get(Adapter.toTyped(system));
        NavigableMap<Integer, Class<?>> classes = KryoTable.read(
                config.getConfig(TABLE), TABLE, system.dynamicAccess().classLoader());
        this.table = classes;
        classes.forEach((id, type) -> manifests.put(type, Integer.toString(id)));
        this.bytesMax = Math.toIntExact(config.getBytes("godwit.serialization.kryo-bytes-max"));
        this.pool = new Pool<>(true, false, config.getInt("godwit.serialization.kryo-pool-max")) {
            @Override
            protected Kryo create() {
                return new KryoTypes(classes, refs);
            }
        };
    }

    /** The class of every id. */
    public NavigableMap<Integer, Class<?>> ids() {
        return Collections.unmodifiableNavigableMap(table);
    }

    @Override
    public int identifier() {
        return IDENTIFIER;
    }

    /** Throws {@link NotSerializableException} for a class without an id. */
    @Override
    public String manifest(Object record) {
        String manifest = manifests.get(record.getClass());
        if (manifest == null) {
            throw Unchecked.rethrow(new NotSerializableException(
                    record.getClass().getName() + " has no id; expected an entry in " + TABLE));
        }
        return manifest;
    }

    /** Throws {@link NotSerializableException} when the record, or anything in it, has no id. */
    @Override
    public byte[] toBinary(Object record) {
        Kryo kryo = pool.obtain();
        try (Output output = new Output(FIRST_BUFFER_BYTES, bytesMax)) {
            output.writeInt(0);
            kryo.writeObject(output, record);
            byte[] bytes = output.toBytes();
            ByteBuffer.wrap(bytes).putInt(0, checksum(bytes));
            return bytes;
        } catch (RuntimeException e) {
            throw Unchecked.rethrow(
                    RecordCodec.bad(record.getClass().getName() + " cannot be written: " + firstLine(e), e));
        } finally {
            pool.free(kryo);
        }
    }

    @Override
    public void toBinary(Object record, ByteBuffer into) {
        into.put(toBinary(record));
    }

    @Override
    public Object fromBinary(byte[] bytes, String manifest) throws NotSerializableException {
        Class<?> type = type(manifest);
        if (bytes.length < CHECKSUM_BYTES || ByteBuffer.wrap(bytes).getInt(0) != checksum(bytes)) {
            throw new NotSerializableException(type.getName() + " cannot be read: its checksum is wrong");
        }
        Kryo kryo = pool.obtain();
        try (Input input = new Input(bytes, CHECKSUM_BYTES, bytes.length - CHECKSUM_BYTES)) {
            Object record = kryo.readObject(input, type);
            if (!input.end()) {
                throw new NotSerializableException(
                        type.getName() + " cannot be read: " + (bytes.length - input.position()) + " bytes left over");
            }
            return record;
        } catch (RuntimeException e) {
            // another version's bytes, or a record whose constructor refuses its values
            throw RecordCodec.bad(type.getName() + " cannot be read: " + firstLine(e), e);
        } finally {
            pool.free(kryo);
        }
    }

    @Override
    public Object fromBinary(ByteBuffer bytes, String manifest) throws NotSerializableException {
        byte[] copy = new byte[bytes.remaining()];
        bytes.get(copy);
        return fromBinary(copy, manifest);
    }

    private Class<?> type(String manifest) throws NotSerializableException {
        try {
            Class<?> type = table.get(Integer.valueOf(manifest));
            if (type != null) {
                return type;
            }
        } catch (NumberFormatException e) {
            // falls through: as unknown as a number that is not in the table
        }
        throw new NotSerializableException("unknown manifest '" + manifest + "'; expected a class id from " + TABLE);
    }

    private static int checksum(byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, CHECKSUM_BYTES, bytes.length - CHECKSUM_BYTES);
        return (int) crc.getValue();
    }

    private static String firstLine(RuntimeException e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }
}
