package io.godwit.proto.serialization;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Collections by kind. A null element, and an order other than the natural one, are refused when written. */
final class KryoCollections {
    private KryoCollections() {}

    static final class ListSerializer extends Serializer<List<?>> {
        @Override
        public void write(Kryo kryo, Output output, List<?> list) {
            writeAll(kryo, output, list);
        }

        @Override
        public List<?> read(Kryo kryo, Input input, Class<? extends List<?>> type) {
            List<Object> list = new ArrayList<>();
            readAll(kryo, input, list);
            return Collections.unmodifiableList(list);
        }
    }

    static final class SetSerializer extends Serializer<Set<?>> {
        @Override
        public void write(Kryo kryo, Output output, Set<?> set) {
            writeAll(kryo, output, set);
        }

        @Override
        public Set<?> read(Kryo kryo, Input input, Class<? extends Set<?>> type) {
            Set<Object> set = new LinkedHashSet<>();
            readAll(kryo, input, set);
            return Collections.unmodifiableSet(set);
        }
    }

    static final class SortedSetSerializer extends Serializer<SortedSet<?>> {
        private final boolean modifiable;

        SortedSetSerializer(boolean modifiable) {
            this.modifiable = modifiable;
        }

        @Override
        public void write(Kryo kryo, Output output, SortedSet<?> set) {
            naturalOrder(set.comparator());
            writeAll(kryo, output, set);
        }

        @Override
        public SortedSet<?> read(Kryo kryo, Input input, Class<? extends SortedSet<?>> type) {
            SortedSet<Object> set = new TreeSet<>();
            readAll(kryo, input, set);
            return modifiable ? set : Collections.unmodifiableSortedSet(set);
        }
    }

    static final class MapSerializer extends Serializer<Map<?, ?>> {
        @Override
        public void write(Kryo kryo, Output output, Map<?, ?> map) {
            writeEntries(kryo, output, map);
        }

        @Override
        public Map<?, ?> read(Kryo kryo, Input input, Class<? extends Map<?, ?>> type) {
            Map<Object, Object> map = new LinkedHashMap<>();
            readEntries(kryo, input, map);
            return Collections.unmodifiableMap(map);
        }
    }

    static final class SortedMapSerializer extends Serializer<SortedMap<?, ?>> {
        private final boolean modifiable;

        SortedMapSerializer(boolean modifiable) {
            this.modifiable = modifiable;
        }

        @Override
        public void write(Kryo kryo, Output output, SortedMap<?, ?> map) {
            naturalOrder(map.comparator());
            writeEntries(kryo, output, map);
        }

        @Override
        public SortedMap<?, ?> read(Kryo kryo, Input input, Class<? extends SortedMap<?, ?>> type) {
            SortedMap<Object, Object> map = new TreeMap<>();
            readEntries(kryo, input, map);
            return modifiable ? map : Collections.unmodifiableSortedMap(map);
        }
    }

    private static void naturalOrder(@Nullable Comparator<?> comparator) {
        if (comparator != null && !comparator.equals(Comparator.naturalOrder())) {
            throw new KryoException("a collection sorted by "
                    + comparator.getClass().getName() + "; expected the natural order, as a comparator is not written");
        }
    }

    private static void writeAll(Kryo kryo, Output output, Collection<?> all) {
        output.writeVarInt(all.size(), true);
        for (Object each : all) {
            kryo.writeClassAndObject(output, nonNull(each));
        }
    }

    private static void readAll(Kryo kryo, Input input, Collection<Object> into) {
        // grows as elements are read: a damaged size must not allocate ahead of the bytes
        for (int left = input.readVarInt(true); left > 0; left--) {
            into.add(nonNull(kryo.readClassAndObject(input)));
        }
    }

    private static void writeEntries(Kryo kryo, Output output, Map<?, ?> map) {
        output.writeVarInt(map.size(), true);
        map.forEach((key, value) -> {
            kryo.writeClassAndObject(output, nonNull(key));
            kryo.writeClassAndObject(output, nonNull(value));
        });
    }

    private static void readEntries(Kryo kryo, Input input, Map<Object, Object> into) {
        for (int left = input.readVarInt(true); left > 0; left--) {
            Object key = nonNull(kryo.readClassAndObject(input));
            into.put(key, nonNull(kryo.readClassAndObject(input)));
        }
    }

    private static Object nonNull(@Nullable Object element) {
        if (element == null) {
            throw new KryoException("a null in a collection; expected none");
        }
        return element;
    }
}
