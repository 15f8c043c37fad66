package io.godwit.proto.serialization;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.esotericsoftware.kryo.serializers.RecordSerializer;
import java.lang.reflect.RecordComponent;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * A record's components in order, behind a checksum of their names and types: Kryo writes no names, so without it a
 * snapshot of an older version could be read into the wrong components instead of being refused.
 */
final class KryoRecords extends Serializer<Record> {
    private final Class<?> type;
    private final int shape;
    private final Serializer<Record> components;

    @SuppressWarnings({"unchecked", "rawtypes"})
    KryoRecords(Class<?> type) {
        super(false, true);
        this.type = type;
        this.shape = shape(type);
        this.components = (Serializer<Record>) (Serializer) new RecordSerializer(type);
    }

    @Override
    public void write(Kryo kryo, Output output, Record record) {
        output.writeInt(shape);
        components.write(kryo, output, record);
    }

    @Override
    public Record read(Kryo kryo, Input input, Class<? extends Record> ignored) {
        int found = input.readInt();
        if (found != shape) {
            throw new KryoException(type.getName() + " was written by a version with other components");
        }
        return components.read(kryo, input, type.asSubclass(Record.class));
    }

    static int shape(Class<?> type) {
        CRC32 crc = new CRC32();
        for (RecordComponent component : type.getRecordComponents()) {
            String line = component.getName() + ":" + component.getGenericType().getTypeName() + ";";
            crc.update(line.getBytes(StandardCharsets.UTF_8));
        }
        return (int) crc.getValue();
    }
}
