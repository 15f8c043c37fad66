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
    private final QemuCore core;
    private final String migration;
    private final List<StateTriple> trail = new ArrayList<>();
    private @Nullable MigrationReport last;
    private boolean prepared;
    private boolean loaded;
    private long granted;
    private boolean running;

    private QemuArrival(QemuCore core, String migration) {
        this.core = core;
        this.migration = migration;
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
        core.step(Step.SETUP, arrival.readAddress());
        return arrival.arriving();
    }

    private CompletionStage<?> prepare() {
        QmpSession session = core.session();
        ObjectNode address = QmpSession.arguments()
                .put("uri", "tcp:" + host(core.host.endpoint().host()) + ":0");
        ObjectNode parameters = QmpSession.arguments()
                .put("multifd-channels", core.qemu.settings().multifdChannels());
        return core.capabilities(List.of("late-block-activate"))
                .thenCompose(_ -> session.call("migrate-set-parameters", parameters))
                .thenCompose(_ -> session.call("migrate-incoming", address))
                .thenCompose(_ -> readAddress());
    }

    private CompletionStage<?> readAddress() {
        return core.session().call("query-migrate").thenAccept(this::ready);
    }

    /** On the thread of QEMU's answer: {@code last} is read by the actor after the step's end only. */
    private void ready(JsonNode listening) {
        int port = listening.path("socket-address").path(0).path("port").asInt();
        if (port == 0 && listening.has("status")) {
            // its source has connected already, and a report that it is ready would say nothing new
            return;
        }
        if (port == 0) {
            throw new IllegalStateException("QEMU was told to listen and names no port: " + listening);
        }
        last = new MigrationReport.IncomingReady(
                migration,
                core.host.host(),
                new DataEndpoint(core.host.endpoint().host(), port));
    }

    static String host(String name) {
        return name.contains(":") ? "[" + name + "]" : name;
    }

    private Behavior<Command> arriving() {
        core.stand(RunState.RESTORE_VM, Optional.of(migration));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Stepped(var step, var error) -> stepped(step, error);
            case Heard(QmpMonitor.Happened(var event)) -> core.poll();
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
            case LedgerSaid _ when !loaded -> Behaviors.same();
            case LedgerSaid(var reply) -> {
                OwnershipView view = reply.view();
                if (view.epoch() > core.epoch() && view.grants(core.host.host())) {
                    yield grant(view.epoch());
                }
                yield view.epoch() > core.epoch() && granted == 0
                        ? discard("the ledger granted the VM elsewhere")
                        : Behaviors.same();
            }
            case Overdue(var step) ->
                step == Step.SETUP && !prepared
                        ? fail("QEMU was not ready to receive within "
                                + core.qemu.settings().startTimeout().toMillis() + " ms")
                        : Behaviors.same();
            case QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> stepped(Step step, String error) {
        return switch (step) {
            case SETUP -> {
                if (!error.isEmpty()) {
                    yield fail(error);
                }
                prepared = true;
                core.timers.cancel(Step.SETUP);
                core.timers.startTimerWithFixedDelay(
                        new Tick(), core.qemu.settings().tick());
                publish(RunState.RESTORE_VM, "NONE");
                repeat();
                // the answer says nothing yet: it is the way there and back that is found while the VM still runs
                yield core.askLedger();
            }
            case RUN -> {
                running = false;
                if (error.isEmpty()) {
                    publish(RunState.RUNNING, "NONE");
                    yield core.runs(migration, granted, trail);
                }
                repeat();
                yield core.refuse(migration, "RunVm", "granted epoch " + granted + ", but it did not start: " + error);
            }
            case STOP, SWITCHOVER, CANCEL, ADJUST, CONTACT -> Behaviors.same();
        };
    }

    private Behavior<Command> polled(QemuFigures figures) {
        publish(RunState.RESTORE_VM, figures.fleetStatus().name());
        if (figures.failed()) {
            return fail("QEMU could not load the VM: " + figures.error().orElse("status " + figures.status()));
        }
        // "completed" is said a moment before the run state changes
        if (!loaded && prepared && figures.completed() && figures.fleetRunState() != RunState.RESTORE_VM) {
            loaded = true;
            core.timers.cancel(new Tick());
            core.commit(migration);
            last = new MigrationReport.IncomingLoaded(migration, core.host.host(), core.epoch(), false);
            core.timers.startTimerWithFixedDelay(
                    new AskLedger(), core.host.settings().ledgerPoll());
        }
        return Behaviors.same();
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.PrepareIncoming c
            when c.migration().equals(migration) -> {
                repeat();
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
