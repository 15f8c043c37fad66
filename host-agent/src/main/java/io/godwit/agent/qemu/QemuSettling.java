package io.godwit.agent.qemu;

import io.godwit.agent.qemu.QemuVm.AskLedger;
import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Exited;
import io.godwit.agent.qemu.QemuVm.LedgerSaid;
import io.godwit.agent.qemu.QemuVm.Polled;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * A QEMU that an earlier agent has left. What is to become of it the ledger says, not the manifest: the agent may have died
 * anywhere. It stays as it is found until the ledger has answered.
 *
 * <pre>
 * settling → QemuRunning   the ledger grants it to this host and no handoff is open; what was left of a migration is ended
 * settling → settling      its handoff is open: QEMU sends the rest as fast as it can, and goes on at the switchover under that handoff
 * settling → QemuArrival   it is a copy that arrives
 * settling → QemuClosing   the ledger grants it to another host: this was the source, or a copy that came to nothing
 * </pre>
 */
final class QemuSettling {
    private final QemuCore core;
    private final QemuManifest manifest;
    private final QemuRecovery recovery;
    private @Nullable QemuFigures figures;
    private @Nullable OwnershipView view;
    private boolean running;
    private boolean cancelling;
    private boolean hurried;
    private boolean goingOn;

    private QemuSettling(QemuCore core, QemuManifest manifest) {
        this.core = core;
        this.manifest = manifest;
        this.recovery = QemuRecovery.ofSource(core);
    }

    /** Its process has ended while no agent was here. */
    static Behavior<Command> gone(QemuCore core, QemuManifest manifest) {
        if (manifest.role() == QemuManifest.Role.ARRIVING) {
            MigrationReport failed = new MigrationReport.IncomingFailed(
                    manifest.migration().orElse(""),
                    core.host.host(),
                    core.ended().orElse(""));
            return QemuClosing.kill(core, Optional.of(failed), () -> core.report(failed));
        }
        return QemuRunning.begin(core, Optional.empty());
    }

    static Behavior<Command> begin(QemuCore core, QemuManifest manifest) {
        if (manifest.role() == QemuManifest.Role.ARRIVING
                && manifest.migration().isPresent()) {
            return QemuArrival.goOn(core, manifest.migration().get());
        }
        core.poll();
        core.askLedger();
        core.timers.startTimerWithFixedDelay(
                new AskLedger(), core.host.settings().ledgerPoll());
        return new QemuSettling(core, manifest).settling();
    }

    private Behavior<Command> settling() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Polled(var said, var _) -> {
                core.polled();
                figures = said == null ? figures : said;
                yield decide();
            }
            case LedgerSaid(var reply) -> {
                view = reply.view();
                yield decide();
            }
            case AskLedger() -> {
                core.askLedger();
                yield core.poll();
            }
            case QemuVm.Heard _ -> core.poll();
            case Stepped(var step, var error)
            when step == Step.RUN -> {
                running = false;
                yield error.isEmpty() ? runs() : failed(error);
            }
            case Exited(var how) -> {
                core.ended(how);
                yield core.stash.unstashAll(gone(core, manifest));
            }
            case Stepped(var step, var error)
            when step == Step.RECOVER -> {
                recovery.answered(error);
                yield core.poll();
            }
            case QemuVm.Overdue(var step)
            when step == Step.SWITCHOVER || step == Step.CANCEL -> {
                if (figures == null || !figures.ended()) {
                    core.hangs(step);
                }
                yield Behaviors.same();
            }
            case QemuVm.Overdue _ -> {
                recovery.again();
                yield Behaviors.same();
            }
            case QemuVm.Tick _ -> core.poll();
            case Stepped _, QemuVm.Launched _, QemuVm.Started _, QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> decide() {
        QemuFigures now = figures;
        OwnershipView ledger = view;
        if (now == null || ledger == null || running) {
            return Behaviors.same();
        }
        core.stand(now.running() ? RunState.RUNNING : RunState.FINISH_MIGRATE, manifest.migration());
        if (ledger.epoch() < core.epoch()) {
            return Behaviors.same();
        }
        if (!ledger.grants(core.host.host())) {
            if (now.postcopy()) {
                // it runs there, and the rest of its memory is still here
                recovery.look(now);
                return Behaviors.same();
            }
            return ledger.epoch() > core.epoch() && ledger.host().isPresent() ? letGo() : Behaviors.same();
        }
        if (ledger.handoff().isPresent()) {
            // this was the source and may have surrendered; whoever opened the handoff ends it
            if (handedOff(ledger)) {
                if (now.preSwitchover()) {
                    goOn();
                } else if (now.migrating() && !now.running()) {
                    hurry();
                }
            }
            return Behaviors.same();
        }
        // in postcopy a copy that was granted runs, and fetches the rest of its memory
        if (now.migrating() && !(now.postcopy() && manifest.role() == QemuManifest.Role.RUNNING)) {
            if (!cancelling) {
                cancelling = true;
                core.cancelMigration();
            }
            return Behaviors.same();
        }
        if (manifest.role() == QemuManifest.Role.RUNNING
                && manifest.started()
                && now.runState().equals("paused")) {
            core.paused(true);
        }
        running = true;
        core.granted(ledger.epoch());
        core.step(Step.RUN, core.run(ledger.epoch()));
        return Behaviors.same();
    }

    /** Asked for was that handoff only once the VM stood by its agent's own word, which QEMU wakes in no case. */
    private boolean handedOff(OwnershipView ledger) {
        return ledger.handoff()
                        .filter(open -> manifest.migration().equals(Optional.of(open.migration())))
                        .isPresent()
                && ledger.epoch() == core.epoch()
                && manifest.role() == QemuManifest.Role.LEAVING;
    }

    /** It stands still, and may have been left at the bandwidth of a VM that runs. */
    private void hurry() {
        if (!hurried) {
            hurried = true;
            core.step(
                    Step.ADJUST,
                    core.parameters(QemuParameters.hurry(core.spec().blackoutBudgetMs(), core.qemu.settings())));
        }
    }

    private void goOn() {
        if (!goingOn) {
            goingOn = true;
            core.goOn();
        }
    }

    private Behavior<Command> runs() {
        manifest.migration().ifPresent(migration -> {
            if (core.epoch() > manifest.epoch()) {
                core.report(new MigrationReport.VmRunning(migration, core.host.host(), core.epoch(), List.of()));
            } else {
                core.report(new MigrationReport.SaveFailed(
                        migration, core.host.host(), "the agent was started anew", false, false, List.of()));
            }
        });
        return core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
    }

    private Behavior<Command> failed(String error) {
        core.standFailed("it did not run again: " + error, manifest.migration());
        return Behaviors.same();
    }

    /** It is another host's. */
    private Behavior<Command> letGo() {
        Optional<MigrationReport> released = manifest.migration()
                .map(migration -> new MigrationReport.SourceReleased(
                        migration, core.host.host(), SaveStats.NONE, Downtime.NONE, List.of(), List.of()));
        return QemuClosing.quit(core, released, () -> released.ifPresent(core::report));
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.DescribeVm c -> core.describe(c);
            case HostCommand.DestroyVm c
            when c.epoch() >= core.epoch() && manifest.role() == QemuManifest.Role.RUNNING ->
                QemuClosing.quit(core, Optional.empty(), () -> c.replyTo().tell(new HostReply.VmGone(core.name())));
            // the ledger is asked anyway, and knows at least as much
            case HostCommand.RunVm _ -> core.askLedger();
            case HostCommand.ReleaseSource c
            when c.epoch() > core.epoch() && manifest.migration().equals(Optional.of(c.migration())) ->
                // the ledger says the same, and QEMU whether there is still memory to fetch from here
                core.askLedger();
            // the answer is known in a moment, and a refusal would be taken for one
            case HostCommand.CancelSave _, HostCommand.BeginSave _, HostCommand.CheckVm _ ->
                core.later(new Asked(asked));
            case HostCommand.CreateVm _,
                    HostCommand.DestroyVm _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.DiscardIncoming _,
                    HostCommand.SwitchOver _,
                    HostCommand.AdjustSave _,
                    HostCommand.ReleaseSource _ ->
                core.refuse(
                        asked,
                        "VM " + core.name()
                                + " was left by an earlier agent, and the ledger has not said yet whose it is");
        };
    }
}
