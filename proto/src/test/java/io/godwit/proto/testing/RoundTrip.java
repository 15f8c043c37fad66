package io.godwit.proto.testing;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.RecordComponent;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.serialization.ByteBufferSerializer;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.Serializer;
import org.apache.pekko.serialization.Serializers;

/** Writes and reads an object as a node would, with the serializer that the system's own settings choose. */
public final class RoundTrip {
    private static final int BUFFER_BYTES = 256 * 1024; // Artery's largest frame

    private final Serialization serialization;

    /** Through the serialization of {@code system}. */
    public RoundTrip(ActorSystem<?> system) {
        this.serialization = SerializationExtension.get(system);
    }

    /** Class of the serializer chosen for {@code object}. */
    public Class<?> serializer(Object object) {
        return serialization.findSerializerFor(object).getClass();
    }

    /** Through an array, as to a journal. */
    public Object throughArray(Object object) {
        Serializer serializer = serialization.findSerializerFor(object);
        String manifest = Serializers.manifestFor(serializer, object);
        byte[] bytes = serialization.serialize(object).get();
        return serialization
                .deserialize(bytes, serializer.identifier(), manifest)
                .get();
    }

    /** Through a direct buffer, as over Artery. */
    public Object throughBuffer(Object object) throws Exception {
        Serializer serializer = serialization.findSerializerFor(object);
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES);
        ((ByteBufferSerializer) serializer).toBinary(object, buffer);
        return serialization.deserializeByteBuffer(
                buffer.flip(), serializer.identifier(), Serializers.manifestFor(serializer, object));
    }

    /** Both ways; throws an AssertionError when what comes back is not equal, arrays compared by content. */
    public void check(Object object) throws Exception {
        for (Object back : List.of(throughArray(object), throughBuffer(object))) {
            if (!same(object, back)) {
                throw new AssertionError("sent " + object + "\n back " + back);
            }
        }
    }

    /** Equality that looks into records, lists and optionals for arrays, which have none of their own. */
    public static boolean same(Object a, Object b) {
        if (a.getClass().isRecord()) {
            return a.getClass() == b.getClass()
                    && Arrays.stream(a.getClass().getRecordComponents())
                            .allMatch(component -> same(get(component, a), get(component, b)));
        }
        if (a instanceof List<?> left && b instanceof List<?> right && left.size() == right.size()) {
            Iterator<?> other = right.iterator();
            return left.stream().allMatch(each -> same(each, other.next()));
        }
        if (a instanceof Optional<?> left && b instanceof Optional<?> right && left.isPresent() && right.isPresent()) {
            return same(left.get(), right.get());
        }
        return Arrays.deepEquals(new Object[] {a}, new Object[] {b});
    }

    private static Object get(RecordComponent component, Object record) {
        try {
            component.getAccessor().setAccessible(true);
            return component.getAccessor().invoke(record);
        } catch (IllegalAccessException | InvocationTargetException e) {
            throw new IllegalArgumentException(record.getClass().getName() + "." + component.getName(), e);
        }
    }
}
