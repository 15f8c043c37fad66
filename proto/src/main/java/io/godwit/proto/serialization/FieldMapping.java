package io.godwit.proto.serialization;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.NotSerializableException;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One record component and its field, with how many values they hold. */
record FieldMapping(MethodHandle accessor, FieldDescriptor field, Shape shape, ValueMapping value) {
    /** How a component holds its values. */
    enum Shape {
        /** Exactly one. A field that knows presence (a message, an {@code optional}) must be there on read. */
        ONE,
        /** {@link Optional}. */
        OPTIONAL,
        /** {@link List}. */
        LIST,
        /** {@link Map} by string. */
        MAP
    }

    /** Sets the field from {@code record}. */
    void write(Object record, Message.Builder into) {
        Object component = component(record);
        if (component == null) {
            throw new IllegalArgumentException(field.getFullName() + ": the record's component is null");
        }
        switch (shape) {
            case ONE -> into.setField(field, value.toWire(component));
            case OPTIONAL -> ((Optional<?>) component).ifPresent(v -> into.setField(field, value.toWire(v)));
            case LIST -> ((List<?>) component).forEach(v -> into.addRepeatedField(field, value.toWire(v)));
            case MAP ->
                ((Map<?, ?>) component).forEach((k, v) -> {
                    Message.Builder entry = into.newBuilderForField(field);
                    entry.setField(entryField(1), k);
                    entry.setField(entryField(2), value.toWire(v));
                    into.addRepeatedField(field, entry.build());
                });
        }
    }

    /** The component's value in {@code message}. */
    Object read(Message message) throws NotSerializableException {
        return switch (shape) {
            case ONE -> {
                if (field.hasPresence() && !message.hasField(field)) {
                    throw new NotSerializableException(field.getFullName() + ": missing; expected a value");
                }
                yield value.fromWire(message.getField(field));
            }
            case OPTIONAL ->
                message.hasField(field) ? Optional.of(value.fromWire(message.getField(field))) : Optional.empty();
            case LIST -> {
                int count = message.getRepeatedFieldCount(field);
                List<Object> values = new ArrayList<>(count);
                for (int i = 0; i < count; i++) {
                    values.add(value.fromWire(message.getRepeatedField(field, i)));
                }
                yield Collections.unmodifiableList(values);
            }
            case MAP -> {
                Map<String, Object> values = new LinkedHashMap<>();
                int count = message.getRepeatedFieldCount(field);
                for (int i = 0; i < count; i++) {
                    Message entry = (Message) message.getRepeatedField(field, i);
                    values.put((String) entry.getField(entryField(1)), value.fromWire(entry.getField(entryField(2))));
                }
                yield Collections.unmodifiableMap(values);
            }
        };
    }

    /** Key (1) or value (2) of a map's entries, which Protobuf holds as small messages. */
    private FieldDescriptor entryField(int number) {
        return field.getMessageType().findFieldByNumber(number);
    }

    private @Nullable Object component(Object record) {
        try {
            return accessor.invoke(record);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException("accessor of " + record.getClass().getName() + " failed", e);
        }
    }
}
