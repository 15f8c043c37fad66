package io.godwit.proto.serialization;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Message;
import io.godwit.proto.testing.RoundTrip;
import io.godwit.proto.testing.SampleRecords;
import java.io.NotSerializableException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorRefResolver;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class RecordCodecTest {
    enum Colour {
        RED,
        GREEN {
            @Override
            public String toString() {
                return "not its name";
            }
        }
    }

    record Inner(String name, long size) {}

    sealed interface Choice {
        record Left(String why) implements Choice {}

        sealed interface Deeper extends Choice {
            record Right(Inner inner) implements Deeper {}

            record Nothing() implements Deeper {}
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // the codec supports it; compared by content
    record Everything(
            String text,
            long big,
            int small,
            boolean flag,
            double realNumber,
            byte[] bytes,
            Colour colour,
            Optional<String> maybeText,
            Optional<Integer> maybeSmall,
            Optional<Inner> maybeInner,
            List<Inner> inners,
            List<String> texts,
            List<Colour> colours,
            Map<String, Long> counts,
            Map<String, Inner> named,
            Inner inner,
            Choice choice,
            Optional<Choice> maybeChoice,
            ActorRef<String> replyTo,
            List<ActorRef<String>> watchers) {}

    record Node(String name, Optional<Node> next) {}

    record Positive(long value) {
        Positive {
            if (value <= 0) {
                throw new IllegalArgumentException("value " + value + "; expected more than 0");
            }
        }
    }

    record Coloured(Colour colour) {}

    record Chosen(Choice choice) {}

    record Asked(ActorRef<String> replyTo) {}

    private final ActorTestKit kit = ActorTestKit.create();
    private final ActorRefResolver refs = ActorRefResolver.get(kit.system());

    @AfterAll
    void stop() {
        kit.shutdownTestKit();
    }

    private static TestSchema inner() {
        return new TestSchema().message("Inner", "name string", "size int64");
    }

    private static TestSchema choice() {
        return inner().message("Left", "why string")
                .message("Right", "inner Inner")
                .message("Nothing")
                .choice("Choice", "left Left", "right Right", "nothing Nothing");
    }

    private RecordCodec codec(TestSchema schema, Class<? extends Record> record) {
        return new RecordCodec(refs, schema.types(), List.of(record));
    }

    private static Record read(RecordCodec codec, String manifest, byte[] bytes) throws NotSerializableException {
        return codec.read(manifest, ByteBuffer.wrap(bytes));
    }

    @Test
    void bringsEveryKindOfComponentBackEqual() throws Exception {
        TestSchema schema = choice().message(
                        "Everything",
                        "text string",
                        "big int64",
                        "small int32",
                        "flag bool",
                        "real_number double",
                        "bytes bytes",
                        "colour string",
                        "maybe_text string",
                        "maybe_small int32",
                        "maybe_inner Inner",
                        "inners Inner*",
                        "texts string*",
                        "colours string*",
                        "counts map int64",
                        "named map Inner",
                        "inner Inner",
                        "choice Choice",
                        "maybe_choice Choice",
                        "reply_to string",
                        "watchers string*");
        RecordCodec codec = codec(schema, Everything.class);
        SampleRecords samples = new SampleRecords(kit.createTestProbe().ref());
        for (int i = 0; i < 5; i++) { // the samples go round the alternatives and enum constants
            for (Object sample : samples.of(Everything.class)) {
                Record back = read(codec, "Everything", codec.toMessage(sample).toByteArray());
                assertThat(RoundTrip.same(sample, back))
                        .as("%s%n%s", sample, back)
                        .isTrue();
            }
        }
    }

    @Test
    void bringsARecordThatHoldsItsOwnKindBackEqual() throws Exception {
        RecordCodec codec = codec(new TestSchema().message("Node", "name string", "next Node"), Node.class);
        Node list = new Node("a", Optional.of(new Node("b", Optional.of(new Node("c", Optional.empty())))));
        assertThat(read(codec, "Node", codec.toMessage(list).toByteArray())).isEqualTo(list);
    }

    @Test
    void refusesASchemaWithoutTheMessage() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec(new TestSchema(), Inner.class))
                .withMessageContaining("Inner: no message godwit.v1.Inner");
    }

    @Test
    void refusesAComponentWithoutAField() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec(new TestSchema().message("Inner", "name string"), Inner.class))
                .withMessageContaining("Inner, component size: message test.Inner has no field size");
    }

    @Test
    void refusesAFieldWithoutAComponent() {
        TestSchema schema = new TestSchema().message("Inner", "name string", "size int64", "colour string");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec(schema, Inner.class))
                .withMessageContaining("Inner has no component for [test.Inner.colour]");
    }

    @Test
    void refusesAFieldOfAnotherType() {
        TestSchema schema = new TestSchema().message("Inner", "name string", "size int32");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec(schema, Inner.class))
                .withMessageContaining(
                        "component size, field test.Inner.size: a component of long needs a field of LONG");
    }

    @Test
    void refusesARepeatedFieldForASingleComponent() {
        TestSchema schema = new TestSchema().message("Inner", "name string*", "size int64");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec(schema, Inner.class))
                .withMessageContaining(
                        "component name, field test.Inner.name: a component of String needs a single field");
    }

    @Test
    void refusesASealedInterfaceWithARecordThatTheOneofForgets() {
        TestSchema schema = inner().message("Left", "why string")
                .message("Right", "inner Inner")
                .choice("Choice", "left Left", "right Right")
                .message("Chosen", "choice Choice");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec(schema, Chosen.class))
                .withMessageContaining("test.Choice has no field for " + Choice.Deeper.Nothing.class.getName());
    }

    @Test
    void readsNoNullForAMissingString() throws Exception {
        RecordCodec codec = codec(inner(), Inner.class);
        Message message = codec.toMessage(new Inner("a", 1));
        Message without = message.toBuilder()
                .clearField(message.getDescriptorForType().findFieldByName("name"))
                .build();
        assertThatThrownBy(() -> read(codec, "Inner", without.toByteArray()))
                .isInstanceOf(NotSerializableException.class)
                .hasMessage("test.Inner.name: missing; expected a value");
    }

    @Test
    void keepsAnEmptyStringApartFromAMissingOne() throws Exception {
        RecordCodec codec = codec(inner(), Inner.class);
        Inner empty = new Inner("", 0);
        assertThat(read(codec, "Inner", codec.toMessage(empty).toByteArray())).isEqualTo(empty);
    }

    @Test
    void readsNoNullForAMissingMessage() {
        RecordCodec codec = codec(choice().message("Chosen", "choice Choice"), Chosen.class);
        assertThatThrownBy(() -> read(codec, "Chosen", new byte[0]))
                .isInstanceOf(NotSerializableException.class)
                .hasMessage("test.Chosen.choice: missing; expected a value");
    }

    @Test
    void namesAnUnknownEnumConstant() {
        RecordCodec codec = codec(new TestSchema().message("Coloured", "colour string"), Coloured.class);
        byte[] blue = {0x0a, 4, 'B', 'L', 'U', 'E'};
        assertThatThrownBy(() -> read(codec, "Coloured", blue))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("test.Coloured.colour: unknown Colour 'BLUE'; expected one of [RED, GREEN]");
    }

    @Test
    void namesTheOneofThatHoldsNoAlternativeKnownHere() {
        RecordCodec codec = codec(choice().message("Chosen", "choice Choice"), Chosen.class);
        byte[] fieldNine = {0x0a, 2, 0x4a, 0};
        assertThatThrownBy(() -> read(codec, "Chosen", fieldNine))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("test.Choice: holds none of the alternatives known here; expected one of [left");
    }

    @Test
    void namesAStringThatIsNoActor() {
        RecordCodec codec = codec(new TestSchema().message("Asked", "reply_to string"), Asked.class);
        byte[] nonsense = {0x0a, 3, ':', ':', ':'};
        assertThatThrownBy(() -> read(codec, "Asked", nonsense))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("test.Asked.reply_to: ':::' is not an actor reference");
    }

    @Test
    void namesTheRecordWhoseConstructorRefusesWhatWasRead() {
        RecordCodec codec = codec(new TestSchema().message("Positive", "value int64"), Positive.class);
        assertThatThrownBy(() -> read(codec, "Positive", new byte[] {8, 0}))
                .isInstanceOf(NotSerializableException.class)
                .hasMessageContaining("Positive refused its values: value 0; expected more than 0");
    }

    @Test
    @SuppressWarnings("NullAway") // the null is what is tested
    void namesANullComponentOnWrite() {
        RecordCodec codec = codec(inner(), Inner.class);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> codec.toMessage(new Inner(null, 1)))
                .withMessageContaining("test.Inner.name: the record's component is null");
    }

    @Test
    void noTruncationIsReadAsAnotherRecord() throws Exception {
        RecordCodec codec = codec(inner(), Inner.class);
        Inner whole = new Inner("name", 1L << 40);
        byte[] bytes = codec.toMessage(whole).toByteArray();
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(bytes, length);
            if (length == 6) {
                continue; // cut between two fields, it is the valid message whose number is 0
            }
            assertThatThrownBy(() -> read(codec, "Inner", cut))
                    .isInstanceOf(NotSerializableException.class)
                    .hasMessageContaining("test.Inner");
        }
    }

    @Test
    void ignoresAFieldOfANewerSender() throws Exception {
        RecordCodec newer = codec(inner(), Inner.class);
        record Name(String name) {}
        RecordCodec older = codec(new TestSchema().message("Name", "name string"), Name.class);
        byte[] bytes = newer.toMessage(new Inner("a", 5)).toByteArray();
        assertThat(read(older, "Name", bytes)).isEqualTo(new Name("a"));
    }
}
