package io.godwit.proto.serialization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.esotericsoftware.kryo.KryoException;
import com.esotericsoftware.kryo.io.Input;
import com.esotericsoftware.kryo.io.Output;
import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.proto.KryoMessage;
import io.godwit.proto.WireMessage;
import io.godwit.proto.host.HostReply.VmGone;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.testing.RoundTrip;
import io.godwit.proto.testing.SampleRecords;
import java.io.NotSerializableException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.random.RandomGenerator;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.apache.pekko.serialization.Serialization;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/** The two serializers inside an actor system whose settings add records of this test's own. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class SerializersTest {
    enum Mood {
        CALM {
            @Override
            public String toString() {
                return "a constant with a body";
            }
        },
        ANGRY
    }

    @SuppressWarnings("ArrayRecordComponent") // the codec supports it; compared by content
    record Snapshot(
            List<String> list,
            Set<String> set,
            Map<String, Integer> map,
            SortedMap<String, Long> sorted,
            SortedSet<String> sortedSet,
            TreeMap<Integer, List<Long>> tree,
            TreeSet<String> treeSet,
            Optional<Mood> mood,
            ActorRef<String> ref,
            UUID id,
            Instant at,
            Duration took,
            byte[] bytes,
            long[] words,
            double real)
            implements KryoMessage {}

    record Holder(Object any) implements KryoMessage {}

    record Unlisted(String text) implements KryoMessage {}

    record UnlistedWire(String text) implements WireMessage {}

    record Both(String text) implements WireMessage, KryoMessage {}

    private static final String KRYO = "godwit.serialization.kryo";
    private static final String PROTOBUF = "godwit.serialization.protobuf";

    private final ActorTestKit kit = ActorTestKit.create(ConfigFactory.parseMap(Map.of(
                    KRYO + ".900", Snapshot.class.getName(),
                    KRYO + ".901", Mood.class.getName(),
                    KRYO + ".902", Holder.class.getName()))
            .withFallback(ConfigFactory.load()));
    private final Serialization serialization = SerializationExtension.get(kit.system());
    private final ProtobufSerializer protobuf =
            (ProtobufSerializer) serialization.serializerByIdentity().apply(ProtobufSerializer.IDENTIFIER);
    private final KryoSerializer kryo =
            (KryoSerializer) serialization.serializerByIdentity().apply(KryoSerializer.IDENTIFIER);
    private final ActorRefResolver refs = ActorRefResolver.get(kit.system());
    private final SampleRecords samples =
            new SampleRecords(kit.createTestProbe().ref());

    @AfterAll
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void identifiersAreThoseThatStoresHold() {
        assertThat(protobuf.identifier()).isEqualTo(4700);
        assertThat(kryo.identifier()).isEqualTo(4701);
    }

    @Test
    void javaSerializationIsRefused() {
        assertThat(serialization
                        .serialize("plain strings have their own serializer")
                        .isSuccess())
                .isTrue();
        assertThatThrownBy(() -> serialization
                        .serialize(new java.util.ArrayList<>(List.of("x")))
                        .get())
                .hasMessageContaining("Java serialization");
    }

    @Test
    void namesAnUnknownProtobufManifest() {
        assertThatThrownBy(() -> protobuf.fromBinary(new byte[0], "Dodo"))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("unknown manifest 'Dodo'");
    }

    @Test
    void namesTheMessageOfTruncatedBytes() {
        byte[] bytes = protobuf.toBinary(new VmGone("vm-1"));
        assertThatThrownBy(() -> protobuf.fromBinary(Arrays.copyOf(bytes, bytes.length - 1), "VmGone"))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("godwit.v1.VmGone: damaged");
    }

    @Test
    void namesAWireRecordThatNoTableLists() {
        assertThatThrownBy(() -> protobuf.manifest(new UnlistedWire("x")))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining(UnlistedWire.class.getName());
        assertThatThrownBy(() -> protobuf.toBinary(new UnlistedWire("x"))).isInstanceOf(NotSerializableException.class);
    }

    @Test
    void tellsPekkoWhenAFrameIsTooSmall() {
        for (ByteBuffer small : List.of(ByteBuffer.allocate(3), ByteBuffer.allocateDirect(3))) {
            assertThatThrownBy(() -> protobuf.toBinary(new VmGone("vm-1"), small))
                    .isInstanceOf(BufferOverflowException.class);
            assertThatThrownBy(
                            () -> kryo.toBinary(samples.of(SaveProgress.class).getFirst(), small))
                    .isInstanceOf(BufferOverflowException.class);
        }
    }

    @Test
    void kryoKeepsCollectionsOptionalsAndTimes() throws Exception {
        for (Object sample : samples.of(Snapshot.class)) {
            new RoundTrip(kit.system()).check(sample);
        }
    }

    @Test
    void kryoKeepsTheOrderOfAMapAndBringsCollectionsBackUnmodifiable() throws Exception {
        Map<String, Integer> ordered = new LinkedHashMap<>();
        for (String key : List.of("z", "a", "m", "b")) {
            ordered.put(key, key.hashCode());
        }
        Holder back = (Holder) kryo.fromBinary(kryo.toBinary(new Holder(ordered)), "902");
        Map<?, ?> map = (Map<?, ?>) back.any();
        assertThat(List.copyOf(map.keySet())).isEqualTo(List.of("z", "a", "m", "b"));
        assertThatThrownBy(map::clear).isInstanceOf(UnsupportedOperationException.class);
        Holder list = (Holder) kryo.fromBinary(kryo.toBinary(new Holder(Arrays.asList(1, 2))), "902");
        assertThatThrownBy(((List<?>) list.any())::clear).isInstanceOf(UnsupportedOperationException.class);
    }

    @Test
    void kryoRefusesAnOrderThatItDoesNotWrite() {
        TreeMap<String, Integer> backwards = new TreeMap<>(Comparator.reverseOrder());
        assertThatThrownBy(() -> kryo.toBinary(new Holder(backwards)))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("expected the natural order");
    }

    @Test
    void kryoNamesAClassWithoutAnIdAtTheTopAndInside() {
        assertThatThrownBy(() -> kryo.manifest(new Unlisted("x")))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining(Unlisted.class.getName() + " has no id");
        assertThatThrownBy(() -> kryo.toBinary(new Holder(new Unlisted("x"))))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("class " + Unlisted.class.getName() + " has no id");
        assertThatThrownBy(() -> kryo.toBinary(new Holder(List.of(new StringBuilder("x")))))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("java.lang.StringBuilder has no id");
    }

    @Test
    void kryoRefusesUnknownManifestsAndTruncatedBytes() {
        byte[] bytes = kryo.toBinary(samples.of(SaveProgress.class).getFirst());
        for (String unknown : List.of("", "899", "x", "20")) {
            assertThatThrownBy(() -> kryo.fromBinary(bytes, unknown))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessageContaining("unknown manifest '" + unknown + "'");
        }
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = Arrays.copyOf(bytes, length);
            assertThatThrownBy(() -> kryo.fromBinary(cut, "100"))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessageContaining("SaveProgress cannot be read");
        }
    }

    @Test
    void kryoRefusesARecordWhoseComponentsHaveChanged() {
        record Before(long a, int b) {}
        record After(int b, long a) {}
        Output written = new Output(64);
        new KryoTypes(new TreeMap<>(Map.of(900, Before.class)), refs).writeObject(written, new Before(1, 2));
        KryoTypes newer = new KryoTypes(new TreeMap<>(Map.of(900, After.class)), refs);
        assertThatThrownBy(() -> newer.readObject(new Input(written.toBytes()), After.class))
                .isInstanceOf(KryoException.class)
                .hasMessageContaining("After was written by a version with other components");
    }

    @Test
    void damagedBytesAreReadAsARecordOrRefusedWithAClearErrorAndNothingElse() throws Exception {
        RandomGenerator random = new SplittableRandom(20_260);
        for (Class<? extends Record> type : protobuf.codec().manifests().values()) {
            Object sample = samples.of(type).getFirst();
            for (int i = 0; i < 200; i++) {
                byte[] bytes = protobuf.toBinary(sample);
                if (bytes.length > 0) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                }
                try {
                    assertThat(protobuf.fromBinary(bytes, type.getSimpleName())).isInstanceOf(type);
                } catch (NotSerializableException e) {
                    assertThat(e).hasMessageContaining("godwit.v1.");
                }
            }
        }
        byte[] whole = kryo.toBinary(samples.of(SaveProgress.class).getFirst());
        for (int bit = 0; bit < whole.length * 8; bit++) {
            byte[] bytes = whole.clone();
            bytes[bit / 8] ^= (byte) (1 << bit % 8);
            assertThatThrownBy(() -> kryo.fromBinary(bytes, "100"))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessageContaining("SaveProgress cannot be read: its checksum is wrong");
        }
    }

    @Test
    void noActorSystemStartsWithARecordThatHasNoMessage() {
        Config settings = ConfigFactory.parseMap(Map.of(PROTOBUF + ".mine", UnlistedWire.class.getName()))
                .withFallback(ConfigFactory.load());
        assertThatThrownBy(() -> ActorTestKit.create("refused", settings).shutdownTestKit())
                .hasStackTraceContaining("UnlistedWire: no message godwit.v1.UnlistedWire in src/main/proto");
    }

    @Test
    void refusesAKryoTableThatNamesTheEntryThatIsWrong() {
        refuses(Map.of("99", Unlisted.class.getName()), "godwit.serialization.kryo.99: ids below 100");
        refuses(Map.of("x", Unlisted.class.getName()), "godwit.serialization.kryo.x: expected a class id");
        refuses(Map.of("900", "no.such.Type"), "godwit.serialization.kryo.900: no class no.such.Type");
        refuses(Map.of("900", "java.util.TreeMap"), "java.util.TreeMap needs no entry; it has the id 25 already");
        refuses(Map.of("900", "java.lang.Object"), "java.lang.Object; expected a record or an enum");
        refuses(Map.of("900", Both.class.getName()), "implements both KryoMessage and WireMessage");
        refuses(Map.of("900", Unlisted.class.getName(), "901", Unlisted.class.getName()), "one id per class");
    }

    private static void refuses(Map<String, String> table, String message) {
        assertThatIllegalArgumentException()
                .isThrownBy(() ->
                        KryoTable.read(ConfigFactory.parseMap(table), KRYO, SerializersTest.class.getClassLoader()))
                .withMessageContaining(message);
    }

    @Test
    void refusesAProtobufTableThatNamesTheEntryThatIsWrong() {
        refusesWire("no.such.Type", "godwit.serialization.protobuf.mine: no class no.such.Type");
        refusesWire("java.lang.Object", "java.lang.Object is neither a record nor a sealed interface of records");
        refusesWire(SaveProgress.class.getName(), null);
        record Plain() {}
        refusesWire(Plain.class.getName(), "does not implement io.godwit.proto.WireMessage");
    }

    /** No message: the entry is taken, but what Kryo writes is left out. */
    private static void refusesWire(String type, @org.jspecify.annotations.Nullable String message) {
        Config table = ConfigFactory.parseMap(Map.of("mine", type));
        ClassLoader loader = SerializersTest.class.getClassLoader();
        if (message == null) {
            assertThat(RecordFinder.wireRecords(table, PROTOBUF, loader)).isEmpty();
        } else {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> RecordFinder.wireRecords(table, PROTOBUF, loader))
                    .withMessageContaining(message);
        }
    }
}
