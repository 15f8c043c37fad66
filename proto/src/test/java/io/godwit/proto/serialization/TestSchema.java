package io.godwit.proto.serialization;

import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Label;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.MessageOptions;
import com.google.protobuf.DescriptorProtos.OneofDescriptorProto;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import java.util.Locale;
import java.util.Optional;

/** A schema made by a test, so that it can be wrong. Every single field knows presence. */
final class TestSchema {
    private final FileDescriptorProto.Builder file = FileDescriptorProto.newBuilder()
            .setName("test.proto")
            .setPackage("test")
            .setSyntax("proto2");

    /**
     * Adds a message; fields are {@code "name type"}, {@code "name type*"} (repeated) or {@code "name map type"}, where
     * type is a scalar's name or a message's; numbers in order.
     */
    TestSchema message(String name, String... fields) {
        return message(name, false, fields);
    }

    /** Adds a message that holds one of its fields. */
    TestSchema choice(String name, String... fields) {
        return message(name, true, fields);
    }

    private TestSchema message(String name, boolean oneof, String... fields) {
        DescriptorProto.Builder message = DescriptorProto.newBuilder().setName(name);
        if (oneof) {
            message.addOneofDecl(OneofDescriptorProto.newBuilder().setName("body"));
        }
        for (int i = 0; i < fields.length; i++) {
            String[] words = fields[i].split(" ", -1);
            FieldDescriptorProto.Builder field;
            if (words[1].equals("map")) {
                String entry = words[0].substring(0, 1).toUpperCase(Locale.ROOT) + words[0].substring(1) + "Entry";
                message.addNestedType(DescriptorProto.newBuilder()
                        .setName(entry)
                        .setOptions(MessageOptions.newBuilder().setMapEntry(true))
                        .addField(field("key", "string", 1))
                        .addField(field("value", words[2], 2)));
                field = field(words[0], name + "." + entry, i + 1).setLabel(Label.LABEL_REPEATED);
            } else {
                field = field(words[0], words[1], i + 1);
            }
            message.addField(oneof ? field.setOneofIndex(0) : field);
        }
        file.addMessageType(message);
        return this;
    }

    private static FieldDescriptorProto.Builder field(String name, String type, int number) {
        FieldDescriptorProto.Builder field =
                FieldDescriptorProto.newBuilder().setName(name).setNumber(number);
        field.setLabel(type.endsWith("*") ? Label.LABEL_REPEATED : Label.LABEL_OPTIONAL);
        String single = type.replace("*", "");
        if (Character.isUpperCase(single.charAt(0))) {
            return field.setType(FieldDescriptorProto.Type.TYPE_MESSAGE).setTypeName(".test." + single);
        }
        return field.setType(FieldDescriptorProto.Type.valueOf("TYPE_" + single.toUpperCase(Locale.ROOT)));
    }

    /** The schema as the codec wants it. */
    MessageTypes types() {
        FileDescriptor built;
        try {
            built = FileDescriptor.buildFrom(file.build(), new FileDescriptor[0]);
        } catch (DescriptorValidationException e) {
            throw new IllegalArgumentException(e);
        }
        return name -> Optional.<Message>ofNullable(
                built.findMessageTypeByName(name) == null
                        ? null
                        : DynamicMessage.getDefaultInstance(built.findMessageTypeByName(name)));
    }
}
