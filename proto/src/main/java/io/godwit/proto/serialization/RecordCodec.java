package io.godwit.proto.serialization;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Message;
import java.io.IOException;
import java.io.NotSerializableException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.TreeMap;
import org.apache.pekko.actor.typed.ActorRefResolver;

/**
 * Records to Protobuf messages and back. A record's message has its simple name; a component's field has its name in
 * snake case. All correspondences are checked and prepared by the constructor; afterwards a codec is immutable and any
 * thread may use it. Unknown fields of a newer sender are ignored.
 */
public final class RecordCodec {
    private final MessageTypes messages;
    private final Map<Class<?>, RecordMapping> byType = new HashMap<>();
    private final NavigableMap<String, RecordMapping> byManifest = new TreeMap<>();
    private final Queue<RecordMapping> unbound = new ArrayDeque<>();

    /**
     * Prepares {@code records} and every record they hold.
     *
     * @throws IllegalArgumentException when a record and its message do not correspond one to one: names the record, the
     *     component, the field, and what was expected
     */
    public RecordCodec(
            ActorRefResolver refs, MessageTypes messages, Collection<? extends Class<? extends Record>> records) {
        this.messages = messages;
        records.forEach(this::declare);
        ValueMappings values = new ValueMappings(refs, this);
        for (RecordMapping next = unbound.poll(); next != null; next = unbound.poll()) {
            next.bind(values);
        }
    }

    /** Simple message name of every record known, and the record. */
    public NavigableMap<String, Class<? extends Record>> manifests() {
        NavigableMap<String, Class<? extends Record>> all = new TreeMap<>();
        byManifest.forEach((manifest, mapping) -> all.put(manifest, mapping.type()));
        return all;
    }

    /**
     * The record's manifest: the simple name of its message.
     *
     * @throws NotSerializableException when its class is not known
     */
    public String manifest(Object record) throws NotSerializableException {
        return mapping(record).type().getSimpleName();
    }

    /**
     * The record's message.
     *
     * @throws NotSerializableException when its class is not known
     * @throws IllegalArgumentException when a component is null, named
     */
    public Message toMessage(Object record) throws NotSerializableException {
        return mapping(record).toWire(record);
    }

    /**
     * Parses the record of that manifest from all of {@code bytes}.
     *
     * @throws NotSerializableException when the manifest is unknown, the bytes are damaged, or a value is missing or out
     *     of its domain: names message and field
     */
    public Record read(String manifest, ByteBuffer bytes) throws NotSerializableException {
        RecordMapping mapping = byManifest.get(manifest);
        if (mapping == null) {
            throw new NotSerializableException("unknown manifest '" + manifest
                    + "'; expected the name of a message that" + " godwit.serialization.protobuf lists");
        }
        Message message;
        try {
            message = mapping.prototype()
                    .newBuilderForType()
                    .mergeFrom(CodedInputStream.newInstance(bytes))
                    .build();
        } catch (IOException e) {
            throw bad(mapping.name() + ": damaged: " + e.getMessage(), e);
        }
        return mapping.fromWire(message);
    }

    /** Makes sure that {@code type} has a mapping, bound before the constructor ends. */
    RecordMapping declare(Class<? extends Record> type) {
        RecordMapping known = byType.get(type);
        if (known != null) {
            return known;
        }
        RecordMapping mapping = new RecordMapping(type, messageOf(type, "record " + type.getName()));
        byType.put(type, mapping);
        RecordMapping other = byManifest.put(type.getSimpleName(), mapping);
        if (other != null) {
            throw new IllegalArgumentException("records " + other.type().getName() + " and " + type.getName()
                    + " have the same simple name; expected distinct ones, as it names the message");
        }
        unbound.add(mapping);
        return mapping;
    }

    /** The empty message that stands for {@code type}. */
    Message messageOf(Class<?> type, String where) {
        return messages.find(type.getSimpleName())
                .orElseThrow(() -> new IllegalArgumentException(
                        where + ": no message godwit.v1." + type.getSimpleName() + " in src/main/proto"));
    }

    /** Pekko's exception for what cannot be read: it drops the message and keeps the connection. */
    static NotSerializableException bad(String message, Throwable cause) {
        NotSerializableException e = new NotSerializableException(message);
        e.initCause(cause);
        return e;
    }

    private RecordMapping mapping(Object record) throws NotSerializableException {
        RecordMapping mapping = byType.get(record.getClass());
        if (mapping == null) {
            throw new NotSerializableException(record.getClass().getName()
                    + " is not known to the Protobuf serializer; list it or its sealed interface in"
                    + " godwit.serialization.protobuf");
        }
        return mapping;
    }
}
