package io.godwit.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.evacuation.EvacuationState;
import io.godwit.evacuation.MigrationState;
import io.godwit.fleet.FleetState;
import io.godwit.proto.serialization.KryoSerializer;
import io.godwit.proto.testing.RoundTrip;
import io.godwit.proto.testing.SampleRecords;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.serialization.SerializationExtension;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every class that a snapshot of this module may hold, through the serializer of a real actor system. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SnapshotIdsTest {
    private final ActorTestKit kit = ActorTestKit.create();
    private final KryoSerializer kryo = (KryoSerializer)
            SerializationExtension.get(kit.system()).serializerByIdentity().apply(KryoSerializer.IDENTIFIER);

    @AfterAll
    void stop() {
        kit.shutdownTestKit();
    }

    List<Class<?>> states() {
        return Stream.of(FleetState.class, MigrationState.class, EvacuationState.class)
                .flatMap(state -> SampleRecords.recordsOf(state).stream())
                .toList();
    }

    @ParameterizedTest
    @MethodSource("states")
    void everyStateComesBackEqualFromASnapshot(Class<?> state) throws Exception {
        RoundTrip trip = new RoundTrip(kit.system());
        for (Object sample : new SampleRecords(kit.createTestProbe().ref()).of(state)) {
            assertThat(trip.serializer(sample)).isEqualTo(KryoSerializer.class);
            trip.check(sample);
        }
    }

    /** A changed line here is a snapshot that is read as something else: only add lines. */
    @Test
    void idsAreThoseThatSnapshotsHold() throws IOException {
        String found = kryo.ids().subMap(200, 300).entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue().getName())
                .collect(Collectors.joining("\n"));
        try (InputStream in = Objects.requireNonNull(SnapshotIdsTest.class.getResourceAsStream("/snapshot-ids.txt"))) {
            assertThat(found).isEqualTo(new String(in.readAllBytes(), StandardCharsets.UTF_8).strip());
        }
    }

    @Test
    void theIdsOfThisModuleAreItsOwn() {
        assertThat(kryo.ids().entrySet().stream()
                        .filter(e -> !e.getValue().getName().startsWith("io.godwit.proto."))
                        .map(Map.Entry::getKey))
                .isNotEmpty()
                .allMatch(id -> id >= 200 && id < 300);
    }
}
