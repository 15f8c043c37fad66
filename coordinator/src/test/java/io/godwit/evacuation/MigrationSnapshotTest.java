package io.godwit.evacuation;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationView;
import io.godwit.snapshot.Damage;
import io.godwit.snapshot.H2Store;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class MigrationSnapshotTest {
    private static final String ID = "Migration|m-1";

    @TempDir
    private Path folder;

    private H2Store store;
    private SagaFixture saga;

    private void open(String overrides) {
        store = new H2Store(folder, overrides + "\ngodwit.migration.resend-interval = 100 ms");
        saga = new SagaFixture(store.kit, 20_000);
    }

    @AfterEach
    void close() {
        saga.close();
    }

    private MigrationView toReleasingWithASnapshotOnTheWay() {
        open("godwit.migration.snapshot-every = 3");
        saga.toReleasing();
        MigrationView before = saga.show();
        assertThat(before.phase()).isEqualTo(MigrationPhase.RELEASING);
        assertThat(store.snapshots(ID)).containsExactly(3L);
        assertThat(store.events(ID)).hasSize(8);
        return before;
    }

    private void completes() {
        saga.expect(saga.source, HostCommand.ReleaseSource.class);
        saga.tell(new SourceReleased(
                "m-1",
                "host-1",
                SagaFixture.STATS,
                SagaFixture.DOWNTIME,
                List.of(SagaFixture.SOURCE_TRIPLE),
                List.of()));
        MigrationView ended = saga.ended();
        assertThat(ended.phase()).isEqualTo(MigrationPhase.COMPLETED);
        assertThat(ended.states()).containsExactly(SagaFixture.SOURCE_TRIPLE, SagaFixture.DESTINATION_TRIPLE);
    }

    @Test
    void recoversFromASnapshotAndTheEventsAfterItAndGoesOn() {
        MigrationView before = toReleasingWithASnapshotOnTheWay();
        store.deleteEventsBeforeSnapshot(ID);
        saga.restart();
        assertThat(saga.show()).isEqualTo(before);
        completes();
    }

    @ParameterizedTest
    @EnumSource
    void dropsASnapshotThatNoLongerReadsAndReplaysTheEvents(Damage damage) {
        MigrationView before = toReleasingWithASnapshotOnTheWay();
        damage.to(store, ID);
        damage.expectDropped(store, ID, saga::restart);
        assertThat(saga.show()).isEqualTo(before);
        completes();
    }

    @Test
    void byDefaultAnUndisturbedMigrationTakesOneSnapshotWhenItIsOver() {
        open("");
        saga.toReleasing();
        assertThat(store.snapshots(ID)).isEmpty();
        saga.tell(new SourceReleased(
                "m-1",
                "host-1",
                SagaFixture.STATS,
                SagaFixture.DOWNTIME,
                List.of(SagaFixture.SOURCE_TRIPLE),
                List.of()));
        MigrationView ended = saga.ended();
        assertThat(store.snapshots(ID)).containsExactly(9L);
        saga.restart();
        assertThat(saga.show()).isEqualTo(ended);
    }
}
