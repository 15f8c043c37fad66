package io.godwit.proto.testing;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * Makes instances of any record by reflection, no two components alike, so that a serializer that swaps, drops or
 * defaults one is found out. Not safe for several threads.
 */
public final class SampleRecords {
    private final ActorRef<?> ref;
    private final Map<Class<?>, Supplier<?>> makers = new HashMap<>();
    private int next = 1;

    /** @param ref stands wherever a record holds an actor */
    public SampleRecords(ActorRef<?> ref) {
        this.ref = ref;
    }

    /** For a type whose constructor refuses arbitrary values. */
    public <T> SampleRecords with(Class<T> type, Supplier<? extends T> maker) {
        makers.put(type, maker);
        return this;
    }

    /** Every record below a sealed interface; a record itself. */
    public static List<Class<?>> recordsOf(Class<?> type) {
        if (type.isRecord()) {
            return List.of(type);
        }
        if (!type.isSealed()) {
            throw new IllegalArgumentException(type.getName() + " is neither a record nor a sealed interface");
        }
        return Arrays.stream(type.getPermittedSubclasses())
                .flatMap(permitted -> recordsOf(permitted).stream())
                .toList();
    }

    /** A filled instance, an instance whose optionals and collections are empty, and one with every number negative. */
    public List<Object> of(Class<?> record) {
        return List.of(
                make(record, Filling.FULL, record.getSimpleName()),
                make(record, Filling.EMPTY, record.getSimpleName()),
                make(record, Filling.NEGATIVE, record.getSimpleName()));
    }

    private enum Filling {
        FULL,
        EMPTY,
        NEGATIVE
    }

    private Object make(Type type, Filling filling, String name) {
        Class<?> raw = type instanceof ParameterizedType p ? (Class<?>) p.getRawType() : (Class<?>) type;
        Supplier<?> maker = makers.get(raw);
        if (maker != null) {
            return maker.get();
        }
        long number = filling == Filling.NEGATIVE ? -next++ : next++;
        if (raw == String.class) {
            return name + "-é-" + number;
        } else if (raw == long.class || raw == Long.class) {
            return number + (number < 0 ? Long.MIN_VALUE / 2 : 1L << 40);
        } else if (raw == int.class || raw == Integer.class) {
            return (int) number;
        } else if (raw == double.class || raw == Double.class) {
            return number + 0.5;
        } else if (raw == boolean.class || raw == Boolean.class) {
            return filling != Filling.EMPTY;
        } else if (raw == byte[].class) {
            return new byte[] {0, -1, (byte) number};
        } else if (raw == long[].class) {
            return new long[] {number, Long.MIN_VALUE};
        } else if (raw == UUID.class) {
            return new UUID(number, -number);
        } else if (raw == Instant.class) {
            return Instant.ofEpochSecond(number, 7);
        } else if (raw == Duration.class) {
            return Duration.ofNanos(number);
        } else if (raw == ActorRef.class) {
            return ref;
        } else if (raw == Optional.class) {
            return filling == Filling.EMPTY ? Optional.empty() : Optional.of(make(argument(type, 0), filling, name));
        } else if (Collection.class.isAssignableFrom(raw)) {
            return collection(raw, argument(type, 0), filling, name);
        } else if (Map.class.isAssignableFrom(raw)) {
            return map(raw, argument(type, 0), argument(type, 1), filling, name);
        } else if (raw.isEnum()) {
            Object[] constants = raw.getEnumConstants();
            return constants[Math.floorMod((int) number, constants.length)];
        } else if (raw.isRecord()) {
            return record(raw, filling);
        } else if (raw.isSealed()) {
            List<Class<?>> records = recordsOf(raw);
            return record(records.get(Math.floorMod((int) number, records.size())), filling);
        }
        throw new IllegalArgumentException(name + ": no sample of " + raw.getName() + "; give one with(...)");
    }

    private Object collection(Class<?> raw, Type element, Filling filling, String name) {
        List<Object> list = new ArrayList<>();
        int count =
                filling == Filling.EMPTY ? 0 : filling == Filling.FULL ? 3 : 1; // List.of(1) and List.of(1,2,3) differ
        for (int i = 0; i < count; i++) {
            list.add(make(element, filling, name));
        }
        return raw == List.class || raw == Collection.class
                ? List.copyOf(list)
                : raw == Set.class ? Set.copyOf(list) : new TreeSet<>(list);
    }

    private Object map(Class<?> raw, Type key, Type value, Filling filling, String name) {
        Map<Object, Object> map = new LinkedHashMap<>();
        int count = filling == Filling.EMPTY ? 0 : filling == Filling.FULL ? 3 : 1;
        for (int i = 0; i < count; i++) {
            map.put(make(key, filling, name), make(value, filling, name));
        }
        return SortedMap.class.isAssignableFrom(raw) ? new TreeMap<>(map) : Map.copyOf(map);
    }

    private Object record(Class<?> type, Filling filling) {
        RecordComponent[] components = type.getRecordComponents();
        Class<?>[] types =
                Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
        Object[] values = Arrays.stream(components)
                .map(c -> make(c.getGenericType(), filling, c.getName()))
                .toArray();
        try {
            Constructor<?> constructor = type.getDeclaredConstructor(types);
            constructor.setAccessible(true);
            return constructor.newInstance(values);
        } catch (InvocationTargetException e) {
            throw new IllegalArgumentException(
                    type.getName() + " refused its sample; give one with(...)", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(type.getName() + " cannot be made", e);
        }
    }

    private static Type argument(Type type, int index) {
        return ((ParameterizedType) type).getActualTypeArguments()[index];
    }
}
