package io.godwit.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.agent.DeviceFlow.Stretch;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.MigrationStatus;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A migration that is given up in each of its phases, by the operator as long as the source has not surrendered, by the
 * ledger from then on: what the VM and every device went through, and that the VM runs on at the source.
 */
class CancelFlowTest {
    private static final List<Object> UNTOUCHED = List.of(MigrationStatus.CANCELLED, Stretch.BOOT, Stretch.UNTOUCHED);
    private static final List<Object> GAVE_UP =
            List.of(MigrationStatus.CANCELLED, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.GIVE_UP);

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void whileConnecting(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            DataEndpoint destination = move.prepare();
            hosts.connecting.shut();
            move.begin(destination);
            hosts.connecting.awaitReached();
            move.cancel();
            hosts.connecting.open();
            assertCancelled(move, set.triples("RUNNING NONE running", "RUNNING CANCELLED running"), UNTOUCHED);
            assertDiscarded(move);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void whileTheDestinationThinksAboutThePreamble(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts();
                ServerSocket mute = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Move move = new Move(hosts, set.devices()).create();
            move.begin(new DataEndpoint("127.0.0.1", mute.getLocalPort()));
            try (Socket stream = mute.accept()) {
                assertThat(stream.getInputStream().read()).isNotNegative();
                move.cancel();
                assertCancelled(move, set.triples("RUNNING NONE running", "RUNNING CANCELLED running"), UNTOUCHED);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void whilePreCopying(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.begin(move.prepare(), new MigrationOptions(2000, true, 8 * TwoHosts.MIB, 10_000));
            move.await(MigrationReport.SaveStarted.class);
            move.awaitIterations(2);
            move.cancel();
            assertCancelled(move, cancelledInPreCopy(set), GAVE_UP);
            assertDiscarded(move);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void betweenReadyAndTheStop(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.beginUntilReady(move.prepare());
            move.cancel();
            assertCancelled(move, cancelledInPreCopy(set), GAVE_UP);
            assertDiscarded(move);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void byTheLedgerWhileThePassUnderWayHoldsUpTheStop(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, Move.calm(set.devices())).create();
            move.beginUntilReady(move.prepare());
            move.awaitDevicesGivenOut();
            hosts.sending.shut();
            hosts.sending.awaitReached();
            move.switchOver();
            assertCancelIsRefused(move);
            move.runAtSource();
            MigrationReport.VmRunning running = move.await(MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            assertThat(Move.lines(running.states()))
                    .isEqualTo(set.triples(
                            "RUNNING NONE running",
                            "RUNNING SETUP preCopy",
                            "RUNNING ACTIVE preCopy",
                            "RUNNING FAILED running"));
            move.awaitFlows(hosts.a, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.GIVE_UP);
            assertNeverStopped(move);
            move.awaitWritesOn(hosts.a, 2);
            assertDiscarded(move);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void byTheLedgerWhileTheLastPagesAreSent(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = Move.ofAnIdleGuest(hosts, Move.calm(set.devices())).create();
            move.beginUntilReady(move.prepare());
            move.awaitAllSent();
            hosts.sending.shut();
            move.switchOver();
            hosts.sending.awaitReached();
            assertCancelIsRefused(move);
            move.assertWaitsForTheLedger();
            move.runAtSource();
            MigrationReport.VmRunning running = move.await(MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            assertThat(Move.lines(running.states()))
                    .isEqualTo(set.triples(
                            "RUNNING NONE running",
                            "RUNNING SETUP preCopy",
                            "RUNNING ACTIVE preCopy",
                            "FINISH_MIGRATE DEVICE saving",
                            "RUNNING FAILED running"));
            move.awaitFlows(
                    hosts.a, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.STOP, Stretch.BACK_FROM_COPY);
            assertThat(hosts.runs)
                    .containsExactly("host-a runs under 1", "host-a stops under 1", "host-a runs under 2");
            assertDiscarded(move);
            move.awaitWritesOn(hosts.a, 2);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void byTheLedgerOnceTheDestinationHasLoaded(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.untilLoaded();
            move.awaitFlows(
                    hosts.a, Stretch.BOOT, Stretch.SETUP, Stretch.PRE_COPY, Stretch.STOP, Stretch.COPY, Stretch.REST);
            assertCancelIsRefused(move);
            move.assertWaitsForTheLedger();
            move.runAtSource();
            MigrationReport.VmRunning running = move.await(MigrationReport.VmRunning.class);
            assertThat(running.host()).isEqualTo("host-a");
            assertThat(Move.lines(running.states()))
                    .isEqualTo(set.triples(
                            "RUNNING NONE running",
                            "RUNNING SETUP preCopy",
                            "RUNNING ACTIVE preCopy",
                            "FINISH_MIGRATE DEVICE saving",
                            "FINISH_MIGRATE DEVICE stopped",
                            "RUNNING FAILED running"));
            move.awaitFlows(
                    hosts.a,
                    Stretch.BOOT,
                    Stretch.SETUP,
                    Stretch.PRE_COPY,
                    Stretch.STOP,
                    Stretch.COPY,
                    Stretch.REST,
                    Stretch.BACK_FROM_REST);
            assertThat(hosts.runs)
                    .containsExactly("host-a runs under 1", "host-a stops under 1", "host-a runs under 2");
            assertDiscarded(move);
            move.awaitWritesOn(hosts.a, 2);
        }
    }

    @ParameterizedTest
    @MethodSource("io.godwit.agent.DeviceSet#all")
    void notAnyMoreOnceItIsCommitted(DeviceSet set) throws IOException {
        try (TwoHosts hosts = new TwoHosts()) {
            Move move = new Move(hosts, set.devices()).create();
            move.untilLoaded();
            move.runAtDestination();
            move.discard();
            assertThat(move.await(MigrationReport.VmRunning.class).host()).isEqualTo("host-b");
            assertCancelIsRefused(move);
            move.release();
            assertThat(hosts.runs)
                    .containsExactly("host-a runs under 1", "host-a stops under 1", "host-b runs under 2");
            move.awaitWritesOn(hosts.b, 2);
        }
    }

    private static List<String> cancelledInPreCopy(DeviceSet set) {
        return set.triples(
                "RUNNING NONE running", "RUNNING SETUP preCopy", "RUNNING ACTIVE preCopy", "RUNNING CANCELLED running");
    }

    private static void assertCancelled(Move move, List<String> triples, List<Object> flow) {
        MigrationReport.SaveFailed failed = move.await(MigrationReport.SaveFailed.class);
        assertThat(failed.cancelled()).isTrue();
        assertThat(failed.surrendered()).isFalse();
        assertThat(failed.reason()).isEqualTo("the operator asked for it");
        assertThat(Move.lines(failed.states())).isEqualTo(triples);
        move.awaitFlows(move.hosts.a, flow);
        assertNeverStopped(move);
        move.awaitWritesOn(move.hosts.a, 1);
    }

    private static void assertNeverStopped(Move move) {
        assertThat(move.hosts.runs).as("it never stopped").containsExactly("host-a runs under 1");
    }

    private static void assertCancelIsRefused(Move move) {
        move.cancel();
        assertThat(move.await(
                                MigrationReport.CommandRefused.class,
                                refused -> refused.command().equals("CancelSave"))
                        .reason())
                .contains("surrendered");
    }

    /** A destination that was told to discard has nothing left, and what it had has never run. */
    private static void assertDiscarded(Move move) {
        move.discard();
        move.awaitNothingAtDestination();
        assertThat(move.hosts.runs).noneMatch(run -> run.startsWith("host-b"));
    }
}
