package io.godwit.proto.serialization;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.NotSerializableException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One record class and its message. Declared first, bound afterwards, so that records may hold each other. */
final class RecordMapping implements ValueMapping {
    private final Class<? extends Record> type;
    private final Message prototype;
    private final MethodHandle constructor;
    private List<FieldMapping> fields = List.of();

    RecordMapping(Class<? extends Record> type, Message prototype) {
        this.type = type;
        this.prototype = prototype;
        Class<?>[] types = Arrays.stream(type.getRecordComponents())
                .map(RecordComponent::getType)
                .toArray(Class<?>[]::new);
        try {
            this.constructor = lookup().findConstructor(type, MethodType.methodType(void.class, types))
                    .asSpreader(Object[].class, types.length)
                    .asType(MethodType.methodType(Object.class, Object[].class));
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException(type.getName() + ": its canonical constructor cannot be reached", e);
        }
    }

    /** Finds the field of every component and refuses a schema that does not match one to one. */
    void bind(ValueMappings values) {
        Descriptor message = prototype.getDescriptorForType();
        Set<FieldDescriptor> left = new HashSet<>(message.getFields());
        List<FieldMapping> bound = new ArrayList<>();
        for (RecordComponent component : type.getRecordComponents()) {
            FieldDescriptor field = message.findFieldByName(snakeCase(component.getName()));
            if (field == null) {
                throw new IllegalArgumentException("record " + type.getName() + ", component " + component.getName()
                        + ": message " + message.getFullName() + " has no field " + snakeCase(component.getName()));
            }
            left.remove(field);
            bound.add(bind(component, field, values));
        }
        if (!left.isEmpty()) {
            throw new IllegalArgumentException("record " + type.getName() + " has no component for "
                    + left.stream().map(FieldDescriptor::getFullName).sorted().toList());
        }
        fields = List.copyOf(bound);
    }

    private FieldMapping bind(RecordComponent component, FieldDescriptor field, ValueMappings values) {
        String where =
                "record " + type.getName() + ", component " + component.getName() + ", field " + field.getFullName();
        Type generic = component.getGenericType();
        Class<?> raw = component.getType();
        FieldMapping.Shape shape = raw == Optional.class
                ? FieldMapping.Shape.OPTIONAL
                : raw == List.class
                        ? FieldMapping.Shape.LIST
                        : raw == Map.class ? FieldMapping.Shape.MAP : FieldMapping.Shape.ONE;
        boolean repeated = shape == FieldMapping.Shape.LIST || shape == FieldMapping.Shape.MAP;
        if (field.isRepeated() != repeated || field.isMapField() != (shape == FieldMapping.Shape.MAP)) {
            throw new IllegalArgumentException(where + ": a component of " + raw.getSimpleName() + " needs a "
                    + switch (shape) {
                        case ONE -> "single";
                        case OPTIONAL -> "optional";
                        case LIST -> "repeated";
                        case MAP -> "map";
                    }
                    + " field");
        }
        if (shape == FieldMapping.Shape.OPTIONAL && !field.hasPresence()) {
            throw new IllegalArgumentException(where + ": declare the field optional, as the component is");
        }
        ValueMapping value = switch (shape) {
            case ONE -> values.of(generic, field, where);
            case OPTIONAL, LIST -> values.of(argument(generic, 0, where), field, where);
            case MAP -> {
                if (argument(generic, 0, where) != String.class
                        || field.getMessageType().findFieldByNumber(1).getJavaType()
                                != FieldDescriptor.JavaType.STRING) {
                    throw new IllegalArgumentException(where + ": expected a map by string on both sides");
                }
                yield values.of(
                        argument(generic, 1, where), field.getMessageType().findFieldByNumber(2), where);
            }
        };
        try {
            MethodHandle accessor = lookup().unreflect(component.getAccessor()).asType(MethodType.genericMethodType(1));
            return new FieldMapping(accessor, field, shape, value);
        } catch (IllegalAccessException e) {
            throw new IllegalArgumentException(where + ": the accessor cannot be reached", e);
        }
    }

    /** The record's message. */
    @Override
    public Message toWire(Object value) {
        Message.Builder builder = prototype.newBuilderForType();
        for (FieldMapping field : fields) {
            field.write(value, builder);
        }
        return builder.build();
    }

    /** The message's record. */
    @Override
    public Record fromWire(Object wire) throws NotSerializableException {
        Object[] components = new Object[fields.size()];
        for (int i = 0; i < components.length; i++) {
            components[i] = fields.get(i).read((Message) wire);
        }
        try {
            return (Record) constructor.invoke(components);
        } catch (Error e) {
            throw e;
        } catch (Throwable e) {
            // the record's own constructor refused what it was given
            throw RecordCodec.bad(name() + ": " + type.getName() + " refused its values: " + e.getMessage(), e);
        }
    }

    /** Full name of the message. */
    String name() {
        return prototype.getDescriptorForType().getFullName();
    }

    /** The record class. */
    Class<? extends Record> type() {
        return type;
    }

    /** The empty message, to parse with. */
    Message prototype() {
        return prototype;
    }

    private MethodHandles.Lookup lookup() throws IllegalAccessException {
        return MethodHandles.privateLookupIn(type, MethodHandles.lookup());
    }

    private static Type argument(Type generic, int index, String where) {
        if (generic instanceof ParameterizedType p) {
            return p.getActualTypeArguments()[index];
        }
        throw new IllegalArgumentException(
                where + ": a raw " + generic.getTypeName() + "; expected its type arguments");
    }

    private static String snakeCase(String camelCase) {
        return camelCase.replaceAll("([A-Z])", "_$1").toLowerCase(Locale.ROOT);
    }
}
