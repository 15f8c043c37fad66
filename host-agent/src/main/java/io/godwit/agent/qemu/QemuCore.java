package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.migration.DataPlane;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.Vm;
import io.godwit.vm.VmHost;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/** What all states of one QEMU guest share: its process and monitors, its epoch, and the ways it answers. Confined to its
 * actor. */
final class QemuCore {
    private static final String SOON = "soon";

    final ActorContext<Command> context;
    final TimerScheduler<Command> timers;
    final StashBuffer<Command> stash;
    final VmHost host;
    final QemuHost qemu;
    final QemuFiles files;
    private final SpecCodec codec;
    private final QemuTold told;
    private VmSpec spec;
    private long epoch;
    private @Nullable QmpSession session;
    private Optional<QemuProcess> process = Optional.empty();
    private Optional<String> ended = Optional.empty();
    private @Nullable VmStatus status;
    private Optional<String> uri = Optional.empty();
    private List<String> blocked = List.of();
    private boolean polling;
    private boolean pollAgain;
    private CompletableFuture<Void> saves = CompletableFuture.completedFuture(null);

    QemuCore(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            StashBuffer<Command> stash,
            VmHost host,
            QemuHost qemu,
            QemuFiles files,
            VmSpec spec,
            long epoch) {
        this.context = context;
        this.timers = timers;
        this.stash = stash;
        this.host = host;
        this.qemu = qemu;
        this.files = files;
        this.codec = SpecCodec.of(context.getSystem());
        this.spec = spec;
        this.epoch = epoch;
        this.told = new QemuTold(foreign());
    }

    VmSpec spec() {
        return spec;
    }

    String name() {
        return spec.name();
    }

    void settled(VmSpec settled) {
        spec = settled;
    }

    /** The grant under which it runs, or ran last. */
    long epoch() {
        return epoch;
    }

    /** The ledger granted a newer epoch to this host, and the VM runs under it. Epochs only grow. */
    void granted(long newer) {
        if (newer < epoch) {
            throw new IllegalStateException(name() + ": epoch " + newer + " after " + epoch);
        }
        epoch = newer;
    }

    /** Whether QEMU is somebody else's child, of which only the monitor is known. */
    boolean foreign() {
        return spec.qemu().flatMap(given -> given.adopt()).isPresent();
    }

    QmpSession session() {
        if (session == null) {
            throw new IllegalStateException(name() + " has no monitor yet");
        }
        return session;
    }

    boolean connected() {
        return session != null;
    }

    Optional<QemuProcess> process() {
        return process;
    }

    /** How the process has ended, once it has. */
    Optional<String> ended() {
        return ended;
    }

    void ended(String how) {
        ended = Optional.of("QEMU " + how);
    }

    /** The process is there: its monitors are opened, and its end is waited for. */
    void attach(Optional<QemuProcess> found) {
        process = found;
        found.ifPresent(running -> context.pipeToSelf(
                running.ended(), (how, thrown) -> new QemuVm.Exited(thrown == null ? how : DataPlane.reason(thrown))));
        Optional<String> adopt = spec.qemu().flatMap(given -> given.adopt());
        Path main = adopt.map(Path::of).orElse(files.qmp());
        ActorRef<QmpMonitor.Command> monitor =
                monitor(main, context.messageAdapter(QmpMonitor.Event.class, QemuVm.Heard::new));
        ActorRef<QmpMonitor.Command> urgent = adopt.isPresent()
                ? monitor
                : monitor(files.oob(), context.getSystem().ignoreRef());
        session = new QmpSession(
                monitor, urgent, qemu.settings().qmp(), context.getSystem().scheduler());
    }

    private ActorRef<QmpMonitor.Command> monitor(Path socket, ActorRef<QmpMonitor.Event> owner) {
        return context.spawnAnonymous(QmpMonitor.create(
                qemu.links().apply(socket), host.dataPlane(), qemu.settings().qmp(), owner));
    }

    /** Where the destination of its migration listens, as QEMU writes it; kept for as long as memory may come from there. */
    Optional<String> migrationUri() {
        return uri;
    }

    /** The destination of its migration listens there. */
    void migrationUri(Optional<String> address) {
        uri = address;
    }

    /** Why it cannot be migrated as it is now: what its spec says, and what QEMU said last. */
    List<String> blockers() {
        List<String> all = new ArrayList<>(QemuBlockers.of(spec));
        all.addAll(blocked);
        return all;
    }

    /** QEMU has said why it cannot be migrated; said on with the next word of how it stands. */
    void blocked(List<String> reasons) {
        blocked = reasons;
    }

    /** Tells the agent how the VM stands. One whose process has ended stands in INTERNAL_ERROR, whatever was to be. */
    VmStatus stand(RunState state, Optional<String> migration) {
        return stand(state, migration, ended);
    }

    /** It does not run though it should. */
    VmStatus standFailed(String reason, Optional<String> migration) {
        return stand(RunState.INTERNAL_ERROR, migration, Optional.of(reason));
    }

    private VmStatus stand(RunState state, Optional<String> migration, Optional<String> failure) {
        VmStatus standing = new VmStatus(
                spec,
                failure.isPresent() ? RunState.INTERNAL_ERROR : state,
                epoch,
                migration,
                state == RunState.RESTORE_VM || (state == RunState.PRELAUNCH && migration.isPresent()),
                failure,
                blockers());
        status = standing;
        host.observer().tell(new Vm.Event.Standing(standing));
        return standing;
    }

    Behavior<Command> describe(HostCommand.DescribeVm asked) {
        VmStatus now = status;
        asked.replyTo()
                .tell(
                        now == null
                                ? refusal("VM " + name() + " is just coming into being")
                                : new HostReply.VmDescribed(now, List.of()));
        return Behaviors.same();
    }

    void report(MigrationReport report) {
        host.reports().tell(report);
    }

    /**
     * A migration has ended with the VM running here under {@code newer}.
     *
     * @param standingMicros how long it stood here with all of it loaded; -1 when that is not known
     */
    Behavior<Command> runs(String migration, long newer, List<StateTriple> states, long standingMicros) {
        granted(newer);
        MigrationReport.VmRunning running =
                new MigrationReport.VmRunning(migration, host.host(), epoch, states, standingMicros);
        report(running);
        return stash.unstashAll(QemuRunning.begin(this, Optional.of(running)));
    }

    Behavior<Command> refuse(HostCommand asked, String reason) {
        QemuRefusals.refuse(this, asked, reason);
        return Behaviors.same();
    }

    Behavior<Command> refuse(String migration, String command, String reason) {
        report(new MigrationReport.CommandRefused(migration, host.host(), command, reason, epoch));
        return Behaviors.same();
    }

    HostReply refusal(String reason) {
        return new HostReply.HostRefused(host.host(), reason);
    }

    String stale(long theirs) {
        return "VM " + name() + " is held under epoch " + epoch + ", not " + theirs;
    }

    /** Keeps a command for the next state; with too many kept already it is refused. */
    Behavior<Command> later(QemuVm.Asked asked) {
        if (stash.isFull()) {
            return refuse(asked.command(), "VM " + name() + " is busy, and too many commands wait already");
        }
        stash.stash(asked);
        return Behaviors.same();
    }

    Behavior<Command> askLedger() {
        host.ledger()
                .tell(new OwnershipCommand.QueryOwnership(
                        name(), context.messageAdapter(OwnershipReply.class, QemuVm.LedgerSaid::new)));
        return Behaviors.same();
    }

    /** Asks the ledger to commit {@code migration}, which is all here; it commits an open handoff of it and nothing else. */
    void commit(String migration) {
        host.ledger()
                .tell(new OwnershipCommand.CommitHandoff(
                        name(),
                        migration,
                        epoch,
                        context.messageAdapter(OwnershipReply.class, QemuVm.LedgerSaid::new)));
    }

    /** Asks QEMU how it stands; while one such question is open, once more after it. Answered with Polled. */
    Behavior<Command> poll() {
        if (polling) {
            pollAgain = true;
            return Behaviors.same();
        }
        polling = true;
        context.pipeToSelf(
                session().call("query-migrate").thenCombine(session().call("query-status"), QemuFigures::of),
                (figures, thrown) -> new QemuVm.Polled(figures, thrown == null ? "" : DataPlane.reason(thrown)));
        return Behaviors.same();
    }

    /** The same in a moment: QEMU is just about something that its answer would hold up. */
    Behavior<Command> pollSoon() {
        timers.startSingleTimer(SOON, new QemuVm.Tick(), qemu.settings().quiet());
        return Behaviors.same();
    }

    /** A poll has been answered; to be called for every Polled. */
    void polled() {
        polling = false;
        if (pollAgain) {
            pollAgain = false;
            poll();
        }
    }

    /** Answers with Stepped. */
    void step(Step step, CompletionStage<?> stage) {
        context.pipeToSelf(
                stage, (_, thrown) -> new QemuVm.Stepped(step, thrown == null ? "" : DataPlane.reason(thrown)));
    }

    /** Writes the manifest; the stage completes when it is durable. One after the other. */
    CompletionStage<Void> save(QemuManifest.Role role, long underEpoch, Optional<String> migration) {
        return save(new QemuManifest(spec, underEpoch, role, migration, false, uri));
    }

    /** It is known to run, or to stand because its operator wants so. */
    private CompletionStage<Void> saveStarted(VmSpec as, long underEpoch) {
        return save(new QemuManifest(as, underEpoch, QemuManifest.Role.RUNNING, Optional.empty(), true, uri));
    }

    private synchronized CompletionStage<Void> save(QemuManifest manifest) {
        saves = saves.handle((_, _) -> true)
                .thenAcceptAsync(
                        _ -> {
                            try {
                                manifest.write(files.manifest(), codec);
                            } catch (IOException e) {
                                throw new CompletionException(e);
                            }
                        },
                        host.dataPlane());
        return saves;
    }

    /** Removes the manifest, after whatever is still being written of it. */
    synchronized CompletionStage<Boolean> forget() {
        return saves.handleAsync(
                (_, _) -> {
                    try {
                        return Files.deleteIfExists(files.manifest());
                    } catch (IOException e) {
                        throw new CompletionException(e);
                    }
                },
                host.dataPlane());
    }

    /** Whether its operator has paused it: then it stands wherever it is. */
    boolean paused() {
        return spec.qemu().orElse(QemuSpec.DEFAULT).paused();
    }

    /** QEMU says that its operator has paused it, or lets it run again. */
    void paused(boolean stands) {
        if (stands != paused()) {
            settled(spec.withQemu(spec.qemu().orElse(QemuSpec.DEFAULT).paused(stands)));
            long held = epoch;
            if (status == null || status.migration().isEmpty()) {
                saveStarted(spec, held);
            }
            log(() -> {
                if (stands) {
                    host.runLog().stopped(name(), held);
                } else {
                    host.runLog().running(name(), held);
                }
            });
        }
    }

    /** A line of the run log, after what is to be written before it. */
    private synchronized void log(Runnable line) {
        saves = saves.handle((_, _) -> true).thenRunAsync(line, host.dataPlane());
    }

    /**
     * Makes a VM that its operator has paused fit to be sent: QEMU sends none that stands because of a migration before, which is
     * how 7.2 leaves it when that failed. It runs for a moment.
     */
    CompletionStage<?> fitToBeSent() {
        if (!paused()) {
            return CompletableFuture.completedFuture(null);
        }
        return session()
                .call("query-status")
                .thenCompose(state -> state.path("status").asText().equals("postmigrate")
                        ? session().call("cont").thenCompose(_ -> session().call("stop"))
                        : CompletableFuture.completedFuture(null));
    }

    /**
     * Lets the vCPUs run under {@code newer}; the stage fails unless QEMU says that they run and that is written down. The
     * manifest is written meanwhile, for the VM stands still until it runs: an agent that dies in between leaves a manifest that
     * says less than is true, and whose the VM is a later agent asks the ledger anyway. One that its operator has paused goes on
     * standing.
     */
    CompletionStage<?> run(long newer) {
        VmSpec now = spec;
        if (paused()) {
            return saveStarted(now, newer);
        }
        CompletionStage<Void> written = save(QemuManifest.Role.RUNNING, newer, Optional.empty());
        return CompletableFuture.runAsync(() -> host.runLog().running(name(), newer), host.dataPlane())
                .thenCompose(_ -> session().call("cont"))
                .thenCompose(_ -> session().call("query-status"))
                .thenCombine(written, (state, _) -> {
                    if (!state.path("running").asBoolean()) {
                        host.runLog().stopped(name(), newer);
                        throw new CompletionException(
                                new IOException("QEMU was told to run and stands in " + state.path("status")));
                    }
                    return saveStarted(now, newer);
                });
    }

    /** Stops the vCPUs; the stage has the run state that QEMU says they stand in, and fails unless they stand. */
    CompletionStage<String> stop() {
        long held = epoch;
        return session()
                .call("stop")
                .thenCompose(_ -> session().call("query-status"))
                .thenApplyAsync(
                        state -> {
                            if (state.path("running").asBoolean()) {
                                throw new CompletionException(new IOException("QEMU was told to stop and runs"));
                            }
                            host.runLog().stopped(name(), held);
                            return state.path("status").asText();
                        },
                        host.dataPlane());
    }

    /** It has the capabilities that a migration of this VM has on both ends, and {@code more}, when the stage completes. */
    CompletionStage<?> capabilities(List<String> more) {
        List<String> wanted = new ArrayList<>(List.of("events", "return-path", "validate-uuid"));
        wanted.addAll(more);
        wanted.addAll(spec.qemu().map(given -> given.capabilities()).orElse(List.of()));
        return told.capabilities(session(), wanted);
    }

    /** It has these migration parameters when the stage completes. */
    CompletionStage<?> parameters(ObjectNode parameters) {
        return told.parameters(session(), parameters);
    }

    /** The connection of its migration is there: what the VM will stand still for is not to wait for more. */
    void hurry() {
        if (!qemu.settings().noDelay()) {
            return;
        }
        Logger log = context.getLog();
        process.ifPresent(running -> host.dataPlane().execute(() -> {
            try {
                int connections = running.hurry();
                log.debug("{}: {} TCP sockets of its QEMU delay nothing now", name(), connections);
            } catch (IOException e) {
                log.debug("{}: its QEMU's connections could not be told to delay nothing", name(), e);
            }
        }));
    }

    /** Past pre-switchover, from where on a destination may load the VM. */
    void goOn() {
        step(
                Step.SWITCHOVER,
                session().call("migrate-continue", QmpSession.arguments().put("state", "pre-switchover")));
        timers.startSingleTimer(
                Step.SWITCHOVER,
                new QemuVm.Overdue(Step.SWITCHOVER),
                qemu.settings().switchoverTimeout());
    }

    void cancelMigration() {
        step(Step.CANCEL, session().call("migrate_cancel"));
        timers.startSingleTimer(
                Step.CANCEL, new QemuVm.Overdue(Step.CANCEL), qemu.settings().cancelTimeout());
    }

    /** The migration neither ends nor goes on: its sockets are closed, and again if that changes nothing. */
    void hangs(Step step) {
        context.getLog().warn("{}: {} hangs; closing the migration's sockets out of band", name(), step);
        yank();
        timers.startSingleTimer(step, new QemuVm.Overdue(step), qemu.settings().cancelTimeout());
    }

    /** Hard close of all sockets of the migration, past a hung main loop: it has failed then. */
    private void yank() {
        ObjectNode arguments = QmpSession.arguments();
        arguments.putArray("instances").addObject().put("type", "migration");
        step(Step.CANCEL, session().outOfBand("yank", arguments));
    }
}
