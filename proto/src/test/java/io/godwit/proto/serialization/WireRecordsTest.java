package io.godwit.proto.serialization;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.KryoMessage;
import io.godwit.proto.WireMessage;
import io.godwit.proto.testing.RoundTrip;
import io.godwit.proto.testing.SampleRecords;
import io.godwit.proto.testing.WireSchema;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every record of this module that leaves a process, through the serializers of a real actor system. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class WireRecordsTest {
    private final ActorTestKit kit = ActorTestKit.create();
    private final RoundTrip trip = new RoundTrip(kit.system());
    private final SampleRecords samples =
            new SampleRecords(kit.createTestProbe().ref());

    @AfterAll
    void stop() {
        kit.shutdownTestKit();
    }

    List<Class<?>> wireRecords() {
        return compiledRecords().filter(WireMessage.class::isAssignableFrom).toList();
    }

    List<Class<?>> kryoRecords() {
        return compiledRecords().filter(KryoMessage.class::isAssignableFrom).toList();
    }

    @ParameterizedTest
    @MethodSource("wireRecords")
    void protobufBringsEveryWireRecordBackEqual(Class<?> record) throws Exception {
        for (Object sample : samples.of(record)) {
            assertThat(trip.serializer(sample)).isEqualTo(ProtobufSerializer.class);
            trip.check(sample);
        }
    }

    @ParameterizedTest
    @MethodSource("kryoRecords")
    void kryoBringsEveryThrowawayRecordBackEqual(Class<?> record) throws Exception {
        for (Object sample : samples.of(record)) {
            assertThat(trip.serializer(sample)).isEqualTo(KryoSerializer.class);
            trip.check(sample);
        }
    }

    /** A wire record may sit inside a snapshot, so Kryo has to bring it back too. */
    @Test
    void kryoBringsEveryRegisteredRecordBackEqual() throws Exception {
        KryoSerializer kryo = kryo();
        for (Class<?> type : kryo.ids().values()) {
            for (Object sample : type.isRecord() ? samples.of(type) : List.of(type.getEnumConstants())) {
                Object back = kryo.fromBinary(kryo.toBinary(sample), kryo.manifest(sample));
                assertThat(back).isEqualTo(sample);
            }
        }
    }

    @Test
    void everySealedProtocolIsListed() {
        assertThat(protobuf().codec().manifests().values())
                .containsAll(wireRecords().stream()
                        .<Class<? extends Record>>map(c -> c.asSubclass(Record.class))
                        .toList());
    }

    /** A changed line here is a journal that no longer reads and a rolling update that fails: only add lines. */
    @Test
    void manifestsAndFieldNumbersAreThoseThatJournalsHold() {
        assertThat(WireSchema.describe(protobuf().codec().manifests().values())).isEqualTo(golden("/manifests.txt"));
    }

    @Test
    void kryoIdsAreThoseThatSnapshotsHold() {
        KryoSerializer kryo = kryo();
        String found = kryo.ids().entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue().getName())
                .collect(Collectors.joining("\n"));
        assertThat(found).isEqualTo(golden("/kryo-ids.txt"));
        assertThat(new TreeSet<>(KryoTypes.IDS.values())).hasSameSizeAs(KryoTypes.IDS.keySet());
    }

    private ProtobufSerializer protobuf() {
        return (ProtobufSerializer)
                SerializationExtension.get(kit.system()).serializerByIdentity().apply(ProtobufSerializer.IDENTIFIER);
    }

    private KryoSerializer kryo() {
        return (KryoSerializer)
                SerializationExtension.get(kit.system()).serializerByIdentity().apply(KryoSerializer.IDENTIFIER);
    }

    private static String golden(String name) {
        try (InputStream in = Objects.requireNonNull(WireRecordsTest.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** All record classes that this module compiled, so that a forgotten one cannot hide. */
    private static Stream<Class<?>> compiledRecords() {
        try {
            Path classes = Path.of(WireMessage.class
                    .getProtectionDomain()
                    .getCodeSource()
                    .getLocation()
                    .toURI());
            try (Stream<Path> files = Files.walk(classes)) {
                return files
                        .map(file -> classes.relativize(file).toString())
                        .filter(name -> name.endsWith(".class") && name.startsWith("io/godwit/proto/"))
                        .filter(name -> !name.contains("proto/wire/"))
                        .sorted()
                        .<Class<?>>map(name -> load(name.substring(0, name.length() - ".class".length())))
                        .filter(Class::isRecord)
                        .toList()
                        .stream();
            }
        } catch (IOException | URISyntaxException e) {
            throw new IllegalStateException("the classes of this module cannot be listed", e);
        }
    }

    private static Class<?> load(String path) {
        try {
            return Class.forName(path.replace('/', '.'), false, WireMessage.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            throw new IllegalStateException(path, e);
        }
    }
}
