package io.godwit.proto.serialization;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import java.io.NotSerializableException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.apache.pekko.actor.ActorPaths;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/** Chooses the mapping of a component type, and refuses a field that does not fit it. */
final class ValueMappings {
    private static final Map<Class<?>, JavaType> PLAIN = Map.of(
            String.class, JavaType.STRING,
            long.class, JavaType.LONG,
            Long.class, JavaType.LONG,
            int.class, JavaType.INT,
            Integer.class, JavaType.INT,
            boolean.class, JavaType.BOOLEAN,
            Boolean.class, JavaType.BOOLEAN,
            double.class, JavaType.DOUBLE,
            Double.class, JavaType.DOUBLE);

    private final ActorRefResolver refs;
    private final RecordCodec codec;

    ValueMappings(ActorRefResolver refs, RecordCodec codec) {
        this.refs = refs;
        this.codec = codec;
    }

    /**
     * The mapping between values of {@code type} and single values of {@code field}.
     *
     * @param where names record, component and field in errors
     */
    ValueMapping of(Type type, FieldDescriptor field, String where) {
        Class<?> raw = raw(type);
        JavaType plain = PLAIN.get(raw);
        if (plain != null) {
            expect(field, plain, raw, where);
            return ValueMapping.SAME;
        }
        if (raw == byte[].class) {
            expect(field, JavaType.BYTE_STRING, raw, where);
            return new Bytes();
        }
        if (raw.isEnum()) {
            expect(field, JavaType.STRING, raw, where);
            return new EnumNames(raw, where);
        }
        if (raw == ActorRef.class) {
            expect(field, JavaType.STRING, raw, where);
            return new Refs(refs, where);
        }
        if (raw.isRecord()) {
            expect(field, JavaType.MESSAGE, raw, where);
            expectMessage(field.getMessageType(), raw, where);
            return codec.declare(raw.asSubclass(Record.class));
        }
        if (raw.isInterface() && raw.isSealed()) {
            expect(field, JavaType.MESSAGE, raw, where);
            expectMessage(field.getMessageType(), raw, where);
            return alternatives(raw, field.getMessageType(), where);
        }
        throw new IllegalArgumentException(where + ": components of " + type.getTypeName()
                + " are not supported; expected String, long, int, boolean, double, byte[], an enum, a record, a sealed"
                + " interface of records, ActorRef, or Optional, List or Map<String, ...> of these");
    }

    static Class<?> raw(Type type) {
        return switch (type) {
            case Class<?> c -> c;
            case ParameterizedType p -> (Class<?>) p.getRawType();
            default -> throw new IllegalArgumentException(type.getTypeName() + " is not a class");
        };
    }

    private static void expect(FieldDescriptor field, JavaType wanted, Class<?> type, String where) {
        if (field.getJavaType() != wanted) {
            throw new IllegalArgumentException(where + ": a component of " + type.getSimpleName() + " needs a field of "
                    + wanted + ", found " + field.getJavaType());
        }
    }

    private static void expectMessage(Descriptor found, Class<?> type, String where) {
        if (!found.getName().equals(type.getSimpleName())) {
            throw new IllegalArgumentException(where + ": a component of " + type.getSimpleName()
                    + " needs a field of the message of that name, found " + found.getName());
        }
    }

    /** A sealed interface stands in the schema as a message with one oneof, a field for each record. */
    private ValueMapping alternatives(Class<?> type, Descriptor message, String where) {
        if (message.getOneofs().size() != 1
                || message.getOneofs().getFirst().getFieldCount()
                        != message.getFields().size()) {
            throw new IllegalArgumentException(where + ": " + message.getFullName()
                    + " stands for a sealed interface; expected a single oneof that holds all its fields");
        }
        Set<Class<? extends Record>> records = RecordFinder.recordsOf(type, where);
        Map<Class<?>, Alternatives.Choice> choices = new LinkedHashMap<>();
        for (FieldDescriptor field : message.getFields()) {
            Class<? extends Record> record = records.stream()
                    .filter(r -> field.getJavaType() == JavaType.MESSAGE
                            && r.getSimpleName().equals(field.getMessageType().getName()))
                    .findFirst()
                    .orElseThrow(() -> new IllegalArgumentException(
                            where + ": field " + field.getFullName() + " stands for no record of " + type.getName()));
            choices.put(record, new Alternatives.Choice(field, codec.declare(record)));
        }
        for (Class<? extends Record> record : records) {
            if (!choices.containsKey(record)) {
                throw new IllegalArgumentException(
                        where + ": " + message.getFullName() + " has no field for " + record.getName());
            }
        }
        return new Alternatives(
                codec.messageOf(type, where), message.getOneofs().getFirst(), choices);
    }

    private record Bytes() implements ValueMapping {
        @Override
        public Object toWire(Object value) {
            return ByteString.copyFrom((byte[]) value);
        }

        @Override
        public Object fromWire(Object wire) {
            return ((ByteString) wire).toByteArray();
        }
    }

    private static final class EnumNames implements ValueMapping {
        private final Map<String, Object> constants = new LinkedHashMap<>();
        private final Class<?> type;
        private final String where;

        EnumNames(Class<?> type, String where) {
            this.type = type;
            this.where = where;
            for (Object constant : type.getEnumConstants()) {
                constants.put(((Enum<?>) constant).name(), constant);
            }
        }

        @Override
        public Object toWire(Object value) {
            return ((Enum<?>) value).name();
        }

        @Override
        public Object fromWire(Object wire) throws NotSerializableException {
            Object constant = constants.get((String) wire);
            if (constant == null) {
                throw new NotSerializableException(where + ": unknown " + type.getSimpleName() + " '" + wire
                        + "'; expected one of " + constants.keySet());
            }
            return constant;
        }
    }

    private record Refs(ActorRefResolver refs, String where) implements ValueMapping {
        @Override
        public Object toWire(Object value) {
            return refs.toSerializationFormat((ActorRef<?>) value);
        }

        @Override
        public Object fromWire(Object wire) throws NotSerializableException {
            try {
                ActorPaths.fromString((String) wire); // the resolver would make dead letters of what is none
            } catch (Exception e) { // MalformedURLException, which the Scala signature does not declare
                throw RecordCodec.bad(where + ": '" + wire + "' is not an actor reference", e);
            }
            return refs.resolveActorRef((String) wire);
        }
    }
}
