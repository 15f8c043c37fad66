package io.godwit.proto.serialization;

import java.io.NotSerializableException;

/** Maps one value of a record component to the value of a Protobuf field, and back. */
interface ValueMapping {
    /** What Protobuf's reflection wants to be set. */
    Object toWire(Object value);

    /**
     * The component's value.
     *
     * @throws NotSerializableException when the field holds what the component cannot
     */
    Object fromWire(Object wire) throws NotSerializableException;

    /** For values that Protobuf holds as they are. */
    ValueMapping SAME = new ValueMapping() {
        @Override
        public Object toWire(Object value) {
            return value;
        }

        @Override
        public Object fromWire(Object wire) {
            return wire;
        }
    };
}
