package io.godwit.proto.serialization;

import com.esotericsoftware.kryo.Kryo;
import com.esotericsoftware.kryo.Serializer;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;

/** Actor references as Pekko writes them, with the address of their node. */
final class KryoActorRefs extends Serializer<ActorRef<?>> {
    private final ActorRefResolver refs;

    KryoActorRefs(ActorRefResolver refs) {
        super(false, true);
        this.refs = refs;
    }

    @Override
    public void write(Kryo kryo, Output output, ActorRef<?> ref) {
        output.writeString(refs.toSerializationFormat(ref));
    }

    @Override
    public ActorRef<?> read(Kryo kryo, Input input, Class<? extends ActorRef<?>> type) {
        return refs.resolveActorRef(input.readString());
    }
}
