package io.godwit.proto.serialization;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.Message;
import java.io.NotSerializableException;
import java.util.Map;

/** A sealed interface of records as a message that holds one of them. */
record Alternatives(Message prototype, OneofDescriptor oneof, Map<Class<?>, Choice> choices) implements ValueMapping {
    /** One record and its field in the oneof. */
    record Choice(FieldDescriptor field, ValueMapping mapping) {}

    @Override
    public Object toWire(Object value) {
        Choice choice = choices.get(value.getClass());
        if (choice == null) {
            throw new IllegalArgumentException(value.getClass().getName() + " has no field in "
                    + oneof.getContainingType().getFullName());
        }
        return prototype
                .newBuilderForType()
                .setField(choice.field(), choice.mapping().toWire(value))
                .build();
    }

    @Override
    public Object fromWire(Object wire) throws NotSerializableException {
        Message message = (Message) wire;
        // absent as well when a newer sender chose an alternative that this schema does not know
        FieldDescriptor field = message.getOneofFieldDescriptor(oneof);
        for (Choice choice : choices.values()) {
            if (choice.field().equals(field)) {
                return choice.mapping().fromWire(message.getField(field));
            }
        }
        throw new NotSerializableException(oneof.getContainingType().getFullName()
                + ": holds none of the alternatives known here; expected one of "
                + oneof.getFields().stream().map(FieldDescriptor::getName).toList());
    }
}
