package io.godwit.proto.serialization;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Registration;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.serializers.DefaultArraySerializers;
import com.esotericsoftware.kryo.serializers.DefaultSerializers;
import com.esotericsoftware.kryo.serializers.EnumNameSerializer;
import com.esotericsoftware.kryo.serializers.OptionalSerializers;
import com.esotericsoftware.kryo.serializers.TimeSerializers;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/**
 * A Kryo that knows the registered classes and nothing else. Collections are written as what they are (a list, a set, a
 * map), whatever class holds them, and come back unmodifiable, in the order in which they were written; only TreeMap and
 * TreeSet come back as themselves. Not safe for several threads.
 */
final class KryoTypes extends Kryo {
    /** Ids of the JDK's and Pekko's types: fixed for ever. Kryo itself takes 0 to 9 for primitives and strings. */
    static final Map<Class<?>, Integer> IDS = Map.ofEntries(
            Map.entry(List.class, 20),
            Map.entry(Set.class, 21),
            Map.entry(Map.class, 22),
            Map.entry(SortedMap.class, 23),
            Map.entry(SortedSet.class, 24),
            Map.entry(TreeMap.class, 25),
            Map.entry(TreeSet.class, 26),
            Map.entry(Optional.class, 27),
            Map.entry(ActorRef.class, 28),
            Map.entry(UUID.class, 29),
            Map.entry(Instant.class, 30),
            Map.entry(Duration.class, 31),
            Map.entry(byte[].class, 32),
            Map.entry(long[].class, 33));

    KryoTypes(NavigableMap<Integer, Class<?>> table, ActorRefResolver refs) {
        setRegistrationRequired(true);
        setReferences(false); // records are trees; equal values written twice do no harm
        add(List.class, new KryoCollections.ListSerializer());
        add(Set.class, new KryoCollections.SetSerializer());
        add(Map.class, new KryoCollections.MapSerializer());
        add(SortedMap.class, new KryoCollections.SortedMapSerializer(false));
        add(SortedSet.class, new KryoCollections.SortedSetSerializer(false));
        add(TreeMap.class, new KryoCollections.SortedMapSerializer(true));
        add(TreeSet.class, new KryoCollections.SortedSetSerializer(true));
        add(Optional.class, new OptionalSerializers.OptionalSerializer());
        add(ActorRef.class, new KryoActorRefs(refs));
        add(UUID.class, new DefaultSerializers.UUIDSerializer());
        add(Instant.class, new TimeSerializers.InstantSerializer());
        add(Duration.class, new TimeSerializers.DurationSerializer());
        add(byte[].class, new DefaultArraySerializers.ByteArraySerializer());
        add(long[].class, new DefaultArraySerializers.LongArraySerializer());
        table.forEach((id, type) -> register(
                type, type.isEnum() ? new EnumNameSerializer(type.asSubclass(Enum.class)) : new KryoRecords(type), id));
    }

    /** Finds the registration of what {@code type} is, not of how the JDK happens to implement it. */
    @Override
    @SuppressWarnings("rawtypes")
    public Registration getRegistration(Class type) {
        Class<?> meant = meant(type);
        Registration found = getClassResolver().getRegistration(meant);
        if (found == null) {
            throw new IllegalArgumentException(
                    "class " + meant.getName() + " has no id; expected an entry in godwit.serialization.kryo");
        }
        return found;
    }

    private static Class<?> meant(Class<?> type) {
        if (type.isRecord() || type.isEnum() || type == TreeMap.class || type == TreeSet.class) {
            return type;
        }
        Class<?> parent = type.getSuperclass();
        if (parent != null && parent.isEnum()) {
            return parent; // a constant with a body is a class of its own
        }
        for (Class<?> kind :
                List.of(ActorRef.class, List.class, SortedSet.class, Set.class, SortedMap.class, Map.class)) {
            if (kind.isAssignableFrom(type)) {
                return kind;
            }
        }
        return type;
    }

    private void add(Class<?> type, Serializer<?> serializer) {
        register(type, serializer, Objects.requireNonNull(IDS.get(type)));
    }
}
