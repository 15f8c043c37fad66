package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.agent.qemu.QemuVm.AskLedger;
import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Exited;
import io.godwit.agent.qemu.QemuVm.Heard;
import io.godwit.agent.qemu.QemuVm.LedgerSaid;
import io.godwit.agent.qemu.QemuVm.Overdue;
import io.godwit.agent.qemu.QemuVm.Polled;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.agent.qemu.QemuVm.Tick;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One migration to here: a QEMU that listens, loads and stands still ({@code -S}). It runs only once it has loaded everything
 * and an epoch higher than the source's is granted to this host. Complete, it asks the ledger to commit by itself, as a
 * native guest does (io.godwit.vm.Arrival).
 *
 * <pre>listening → loading → loaded → QemuRunning (granted);  any → QemuClosing (failed, discarded)</pre>
 */
final class QemuArrival {
    private static final String UNIX = "unix:";

    private final QemuCore core;
    private final String migration;
    private final List<StateTriple> trail = new ArrayList<>();
    private final QemuRecovery recovery;
    private @Nullable MigrationReport last;
    private @Nullable DataEndpoint listening;
    private boolean prepared;
    private boolean found;
    private boolean connected;
    private boolean complete;
    private boolean loaded;
    private long committed;
    private long loadedNanos;
    private long ranNanos;
    private long granted;
    private boolean running;

    private QemuArrival(QemuCore core, String migration) {
        this.core = core;
        this.migration = migration;
        this.recovery = QemuRecovery.ofDestination(core);
    }

    /** QEMU has been started; it is prepared and told to listen. */
    static Behavior<Command> listen(QemuCore core, String migration) {
        QemuArrival arrival = new QemuArrival(core, migration);
        core.step(Step.SETUP, arrival.prepare());
        core.timers.startSingleTimer(
                Step.SETUP, new Overdue(Step.SETUP), core.qemu.settings().startTimeout());
        return arrival.arriving();
    }

    /** An earlier agent has told it to listen. */
    static Behavior<Command> goOn(QemuCore core, String migration) {
        QemuArrival arrival = new QemuArrival(core, migration);
        arrival.found = true;
        core.step(Step.SETUP, arrival.readAddress());
        return arrival.arriving();
    }

    private CompletionStage<?> prepare() {
        QmpSession session = core.session();
        boolean local = core.qemu.settings().transport().equals("unix");
        ObjectNode address = QmpSession.arguments()
                .put(
                        "uri",
                        local
                                ? UNIX + core.files.incoming()
                                : "tcp:" + host(core.host.endpoint().host()) + ":0");
        ObjectNode parameters = QmpSession.arguments()
                .put("multifd-channels", core.qemu.settings().multifdChannels());
        return core.capabilities(List.of("late-block-activate"))
                .thenCompose(_ -> core.parameters(parameters))
                .thenCompose(_ -> session.call("migrate-incoming", address))
                .thenCompose(_ -> readAddress());
    }

    private CompletionStage<?> readAddress() {
        return core.session().call("query-migrate").thenAccept(this::ready);
    }

    /** On the thread of QEMU's answer: what it sets is read by the actor after the step's end only. */
    private void ready(JsonNode said) {
        JsonNode address = said.path("socket-address").path(0);
        if (address.isMissingNode() || address.path("port").asText().equals("0")) {
            if (said.has("status")) {
                // its source has connected already, and a report that it is ready would say nothing new
                return;
            }
            throw new IllegalStateException("QEMU was told to listen and does not say where: " + said);
        }
        DataEndpoint here = address.path("type").asText().equals("unix")
                ? new DataEndpoint(UNIX + address.path("path").asText(), 0)
                : new DataEndpoint(
                        core.host.endpoint().host(), address.path("port").asInt());
        listening = here;
        last = new MigrationReport.IncomingReady(migration, core.host.host(), here);
    }

    /** {@code endpoint} as QEMU writes it; one of a Unix socket has its path, with {@code unix:} before it, for a host. */
    static String uri(DataEndpoint endpoint) {
        return endpoint.host().startsWith(UNIX)
                ? endpoint.host()
                : "tcp:" + host(endpoint.host()) + ":" + endpoint.port();
    }

    private static String host(String name) {
        return name.contains(":") ? "[" + name + "]" : name;
    }

    private Behavior<Command> arriving() {
        core.stand(RunState.RESTORE_VM, Optional.of(migration));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Stepped(var step, var error) -> stepped(step, error);
            case Heard(QmpMonitor.Happened(var event)) -> {
                happened(event);
                yield core.poll();
            }
            case Heard(QmpMonitor.Connected _) -> core.poll();
            case Heard(QmpMonitor.Disconnected _) -> Behaviors.same();
            case Polled(var figures, var _) -> {
                core.polled();
                yield figures == null ? Behaviors.same() : polled(figures);
            }
            case Exited(var how) -> exited(how);
            case Tick() -> core.poll();
            case AskLedger() -> {
                core.commit(migration);
                repeat();
                yield Behaviors.same();
            }
            case LedgerSaid(var reply) -> {
                OwnershipView view = reply.view();
                if (view.epoch() <= core.epoch() || granted > 0) {
                    yield Behaviors.same();
                }
                // loaded or not: under a later epoch this migration has been settled
                if (!view.grants(core.host.host())) {
                    yield discard("the ledger has settled its migration");
                }
                committed = view.epoch();
                yield loaded ? grant(committed) : Behaviors.same();
            }
            case Overdue(var step)
            when step == Step.RECOVER -> {
                recovery.again();
                yield Behaviors.same();
            }
            case Overdue(var step)
            when step == Step.CONNECT ->
                fail("no source has connected within "
                        + core.qemu.settings().connectTimeout().toMillis() + " ms");
            case Overdue(var step) ->
                step == Step.SETUP && !prepared
                        ? fail("QEMU was not ready to receive within "
                                + core.qemu.settings().startTimeout().toMillis() + " ms")
                        : Behaviors.same();
            case QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ -> Behaviors.same();
        });
    }

    /** The VM stands still until somebody acts upon QEMU's word, so the ledger is asked at once. */
    private void happened(QmpMessage.Event event) {
        long now = core.host.clock().nanoTime();
        if (event.name().equals("RESUME")) {
            ranNanos = now;
        } else if (prepared
                && !complete
                && event.name().equals("MIGRATION")
                && event.data().path("status").asText().equals("completed")) {
            complete = true;
            loadedNanos = now;
            core.commit(migration);
        }
    }

    /** Of one that goes on standing because its operator wants so, and of one in postcopy, nothing is known. */
    private long standingMicros() {
        return loadedNanos > 0 && ranNanos > loadedNanos ? (ranNanos - loadedNanos) / 1000 : -1;
    }

    private Behavior<Command> stepped(Step step, String error) {
        return switch (step) {
            case SETUP -> {
                if (!error.isEmpty()) {
                    yield fail(error);
                }
                prepared = true;
                core.timers.cancel(Step.SETUP);
                if (!connected) {
                    core.timers.startSingleTimer(
                            Step.CONNECT,
                            new Overdue(Step.CONNECT),
                            core.qemu.settings().connectTimeout());
                }
                if (listening != null && core.migrationUri().isEmpty()) {
                    core.migrationUri(Optional.of(uri(listening)));
                    core.save(QemuManifest.Role.ARRIVING, core.epoch(), Optional.of(migration));
                }
                core.timers.startTimerWithFixedDelay(
                        new Tick(), core.qemu.settings().tick());
                publish(RunState.RESTORE_VM, "NONE");
                repeat();
                // nobody may ever connect to one that was found: its migration may have been settled meanwhile
                yield found ? core.askLedger() : Behaviors.same();
            }
            case RUN -> {
                running = false;
                if (error.isEmpty()) {
                    publish(RunState.RUNNING, "NONE");
                    yield core.runs(migration, granted, trail, standingMicros());
                }
                repeat();
                yield core.refuse(migration, "RunVm", "granted epoch " + granted + ", but it did not start: " + error);
            }
            case RECOVER -> {
                recovery.answered(error);
                yield core.poll();
            }
            case CONNECT, STOP, SWITCHOVER, CANCEL, ADJUST, RELEASE, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> polled(QemuFigures figures) {
        publish(RunState.RESTORE_VM, figures.fleetStatus().name());
        if (figures.failed()) {
            return fail("QEMU could not load the VM: " + figures.error().orElse("status " + figures.status()));
        }
        if (figures.begun() && !connected) {
            connected = true;
            core.timers.cancel(Step.CONNECT);
            // the answer says nothing yet: it is the way there and back that is found while the VM still runs
            core.askLedger();
        }
        recovery.look(figures);
        // "completed" is said a moment before the run state changes
        // in postcopy all but memory is here as soon as it stands, and what is not here is fetched when it runs
        boolean here = figures.completed() || figures.postcopy();
        if (!loaded && prepared && here && figures.fleetRunState() != RunState.RESTORE_VM) {
            loaded = true;
            if (figures.completed()) {
                core.timers.cancel(new Tick());
            }
            last = new MigrationReport.IncomingLoaded(migration, core.host.host(), core.epoch(), false);
            core.timers.startTimerWithFixedDelay(
                    new AskLedger(), core.host.settings().ledgerPoll());
            if (committed > 0) {
                return grant(committed);
            }
            if (!complete) {
                core.commit(migration);
            }
        }
        return Behaviors.same();
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.PrepareIncoming c
            when c.migration().equals(migration) -> {
                if ((complete || loaded) && granted == 0) {
                    // there may be a handoff now; asked for by the coordinator's own commit it would take two steps
                    // more
                    core.commit(migration);
                } else {
                    repeat();
                }
                yield Behaviors.same();
            }
            case HostCommand.RunVm c
            when c.migration().equals(migration) && c.epoch() > core.epoch() && loaded -> grant(c.epoch());
            case HostCommand.DiscardIncoming c
            when c.migration().equals(migration) && granted == 0 -> discard(c.reason());
            case HostCommand.DescribeVm c -> core.describe(c);
            case HostCommand.CreateVm _,
                    HostCommand.DestroyVm _,
                    HostCommand.CheckVm _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.RunVm _,
                    HostCommand.DiscardIncoming _,
                    HostCommand.BeginSave _,
                    HostCommand.SwitchOver _,
                    HostCommand.CancelSave _,
                    HostCommand.AdjustSave _,
                    HostCommand.ReleaseSource _ ->
                core.refuse(
                        asked,
                        "VM " + core.name() + " is arriving with " + migration
                                + (loaded ? ", loaded" : ", not loaded yet") + ", epoch " + core.epoch());
        };
    }

    private Behavior<Command> grant(long epoch) {
        granted = epoch;
        if (!running) {
            running = true;
            core.step(Step.RUN, core.run(epoch));
        }
        return Behaviors.same();
    }

    private Behavior<Command> exited(String how) {
        core.ended(how);
        if (granted > 0) {
            // the VM is this host's, and lost; whoever asks hears so
            core.granted(granted);
            core.report(new MigrationReport.IncomingFailed(migration, core.host.host(), "QEMU " + how));
            return core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
        }
        return fail("QEMU " + how);
    }

    private Behavior<Command> fail(String reason) {
        MigrationReport failed = new MigrationReport.IncomingFailed(migration, core.host.host(), reason);
        return QemuClosing.kill(core, Optional.of(failed), () -> core.report(failed));
    }

    private Behavior<Command> discard(String reason) {
        core.context.getLog().info("{}: the copy of {} goes: {}", core.name(), migration, reason);
        MigrationReport discarded = new MigrationReport.IncomingDiscarded(migration, core.host.host());
        return QemuClosing.kill(core, Optional.of(discarded), () -> core.report(discarded));
    }

    private void publish(RunState state, String status) {
        StateTriple triple = new StateTriple(state.name(), status, "-");
        if (trail.size() < core.host.settings().statesMax()
                && (trail.isEmpty() || !trail.getLast().equals(triple))) {
            trail.add(triple);
        }
    }

    private void repeat() {
        if (last != null) {
            core.report(last);
        }
    }
}
