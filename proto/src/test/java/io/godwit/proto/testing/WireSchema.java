package io.godwit.proto.testing;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Message;
import io.godwit.proto.serialization.MessageTypes;
import java.util.Collection;
import java.util.Locale;
import java.util.stream.Collectors;

/** What of a schema must never change once bytes are stored: for a test that compares it with a file. */
public final class WireSchema {
    private WireSchema() {}

    /** A line per record, sorted: its manifest, then number, name and type of every field. */
    public static String describe(Collection<? extends Class<?>> records) {
        return records.stream()
                .map(Class::getSimpleName)
                .sorted()
                .map(WireSchema::describe)
                .collect(Collectors.joining("\n"));
    }

    private static String describe(String manifest) {
        Message message = MessageTypes.generated(WireSchema.class.getClassLoader())
                .find(manifest)
                .orElseThrow(() -> new IllegalArgumentException("no message " + manifest));
        return message.getDescriptorForType().getFields().stream()
                .map(field -> " " + field.getNumber() + ":" + field.getName() + ":" + type(field)
                        + (field.isRepeated() ? "*" : ""))
                .collect(Collectors.joining("", manifest, ""));
    }

    private static String type(FieldDescriptor field) {
        return field.getJavaType() == JavaType.MESSAGE
                ? field.getMessageType().getName()
                : field.getType().name().toLowerCase(Locale.ROOT);
    }
}
