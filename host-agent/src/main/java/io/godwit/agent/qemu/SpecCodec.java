package io.godwit.agent.qemu;

import io.godwit.proto.vm.VmSpec;
import java.io.IOException;
import java.io.NotSerializableException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Adapter;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.apache.pekko.serialization.SerializerWithStringManifest;

/** A VM's spec as bytes that a later agent, also of a later version, can read. */
public interface SpecCodec {
    /** The bytes of {@code spec}. */
    byte[] write(VmSpec spec) throws IOException;

    /** The spec of such bytes; an IOException names what is wrong with them. */
    VmSpec read(byte[] bytes) throws IOException;

    /** As it crosses the wire, by the serializer of {@code system}. */
    static SpecCodec of(ActorSystem<?> system) {
        Serialization serialization = SerializationExtension.get(Adapter.toClassic(system));
        SerializerWithStringManifest serializer;
        try {
            serializer = (SerializerWithStringManifest) serialization.serializerFor(VmSpec.class);
        } catch (NotSerializableException e) {
            throw new IllegalStateException("no serializer is configured for a VM's spec", e);
        }
        return new SpecCodec() {
            @Override
            public byte[] write(VmSpec spec) {
                return serializer.toBinary(spec);
            }

            @Override
            public VmSpec read(byte[] bytes) throws IOException {
                return (VmSpec) serializer.fromBinary(bytes, VmSpec.class.getSimpleName());
            }
        };
    }
}
