package io.godwit.vm;

import io.godwit.migration.Limits;
import io.godwit.migration.PreambleCheck;
import io.godwit.migration.SavePath;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import io.godwit.vm.Vm.AskLedger;
import io.godwit.vm.Vm.Asked;
import io.godwit.vm.Vm.Built;
import io.godwit.vm.Vm.Checked;
import io.godwit.vm.Vm.Closed;
import io.godwit.vm.Vm.Command;
import io.godwit.vm.Vm.LedgerSaid;
import io.godwit.vm.Vm.LookAtGuest;
import io.godwit.vm.Vm.Resumed;
import io.godwit.vm.Vm.RunStateReplied;
import io.godwit.vm.Vm.Saved;
import io.godwit.vm.Vm.StreamArrived;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One migration away from here. Until it is told to switch over the VM runs under its grant; from then on it has
 * surrendered, and only a higher epoch, by the coordinator or by the ledger itself, lets it run again.
 *
 * <pre>saving → VmRunning (failed before the stop, or rolled back);  saving → VmClosing (released)</pre>
 */
final class Departure {
    private final VmCore core;
    private final VmParts own;
    private final String migration;
    private final ActorRef<SavePath.Command> save;
    private boolean started;
    private boolean surrendered;
    private long granted;
    private @Nullable MigrationReport last;

    private Departure(VmCore core, VmParts own, String migration, ActorRef<SavePath.Command> save) {
        this.core = core;
        this.own = own;
        this.migration = migration;
        this.save = save;
    }

    static Behavior<Command> begin(VmCore core, VmParts own, HostCommand.BeginSave begin) {
        Optional<String> problem = Limits.problem(begin.limits());
        if (problem.isPresent()) {
            return core.refuse(begin, problem.get());
        }
        core.timers.cancelAll();
        core.stand(RunState.RUNNING, Optional.of(begin.migration()));
        ActorRef<SavePath.Command> save = core.context.spawnAnonymous(SavePath.create(
                own,
                PreambleCheck.of(
                        begin.migration(),
                        core.spec,
                        core.epoch(),
                        core.requireBuilt().identities(),
                        begin.options().verify()),
                begin.destination(),
                begin.options(),
                begin.limits(),
                core.host.settings(),
                core.host.opener(),
                core.host.clock(),
                core.host.learnt(),
                core.context.messageAdapter(SavePath.Event.class, Saved::new)));
        return new Departure(core, own, begin.migration(), save).saving();
    }

    private Behavior<Command> saving() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case Saved(var event) -> saved(event);
            case StreamArrived arrived -> core.refuse(arrived, "VM " + core.spec.name() + " is leaving this host");
            case AskLedger() -> core.askLedger();
            case LedgerSaid(var reply) -> {
                OwnershipView view = reply.view();
                // only an abort lets it run again here; after a commit it waits to be told to let go
                if (view.epoch() > core.epoch() && view.grants(core.host.host())) {
                    grant(view.epoch());
                }
                yield Behaviors.same();
            }
            case LookAtGuest _, Resumed _, RunStateReplied _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.BeginSave c
            when ours(c.migration()) -> {
                repeat();
                yield adjust(c, c.limits());
            }
            case HostCommand.AdjustSave c
            when ours(c.migration()) && c.epoch() == core.epoch() && !surrendered -> adjust(c, c.limits());
            case HostCommand.SwitchOver c
            when ours(c.migration()) && c.epoch() == core.epoch() && started -> {
                surrender();
                yield Behaviors.same();
            }
            case HostCommand.CancelSave c
            when ours(c.migration()) && !surrendered -> {
                save.tell(new SavePath.Cancel(c.reason()));
                yield Behaviors.same();
            }
            case HostCommand.RunVm c
            when ours(c.migration()) && c.epoch() > core.epoch() -> {
                grant(c.epoch());
                yield Behaviors.same();
            }
            case HostCommand.ReleaseSource c
            when ours(c.migration()) && c.epoch() > core.epoch() && surrendered -> {
                save.tell(new SavePath.Release());
                yield Behaviors.same();
            }
            case HostCommand.SwitchOver c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.CancelSave _ -> core.refuse(asked, notNow(core.epoch()));
            case HostCommand.RunVm c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.ReleaseSource c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.AdjustSave c -> core.refuse(asked, notNow(c.epoch()));
            case HostCommand.DescribeVm c -> core.describe(own, c);
            case HostCommand.CreateVm _,
                    HostCommand.DestroyVm _,
                    HostCommand.CheckVm _,
                    HostCommand.BeginSave _,
                    HostCommand.PrepareIncoming _,
                    HostCommand.DiscardIncoming _ -> core.refuse(asked, busy());
        };
    }

    private Behavior<Command> saved(SavePath.Event event) {
        String here = core.host.host();
        return switch (event) {
            case SavePath.Event.Started() -> {
                started = true;
                say(new MigrationReport.SaveStarted(migration, here));
                yield Behaviors.same();
            }
            case SavePath.Event.Progressed(var progress) -> {
                core.host.reports().tell(new SaveProgress(migration, here, progress));
                yield Behaviors.same();
            }
            case SavePath.Event.Ready(var stats) -> {
                say(new MigrationReport.ReadyToSwitchOver(migration, here, stats));
                yield Behaviors.same();
            }
            case SavePath.Event.Failed(var reason, var cancelled, var stopped, var states) -> {
                say(new MigrationReport.SaveFailed(migration, here, reason, cancelled, stopped, states));
                if (stopped) {
                    regrant();
                    yield Behaviors.same();
                }
                yield granted > core.epoch() ? core.runs(own, migration, granted, states) : VmRunning.begin(core, own);
            }
            case SavePath.Event.RolledBack(var epoch, var error, var states) -> {
                if (!error.isEmpty()) {
                    core.context.getLog().error("{}: rolled back with errors: {}", core.spec.name(), error);
                }
                yield core.runs(own, migration, epoch, states);
            }
            // asked of the ledger again at the next poll, and tried again then
            case SavePath.Event.NotRunning(var epoch, var reason) -> {
                String why = "granted epoch " + epoch + ", but it did not start: " + reason;
                core.standFailed(why, Optional.of(migration));
                yield core.refuse(migration, "RunVm", why);
            }
            case SavePath.Event.Released(var stats, var downtime, var states, var devices) -> {
                MigrationReport released =
                        new MigrationReport.SourceReleased(migration, here, stats, downtime, states, devices);
                yield VmClosing.begin(core, Optional.of(released), () -> core.report(released));
            }
        };
    }

    private Behavior<Command> adjust(HostCommand asked, SaveLimits limits) {
        Optional<String> problem = Limits.problem(limits);
        if (problem.isPresent()) {
            return core.refuse(asked, problem.get());
        }
        save.tell(new SavePath.Adjust(limits));
        return Behaviors.same();
    }

    private void surrender() {
        if (!surrendered) {
            surrendered = true;
            core.stand(RunState.FINISH_MIGRATE, Optional.of(migration));
            core.timers.startTimerWithFixedDelay(
                    new AskLedger(), core.host.settings().ledgerPoll());
            save.tell(new SavePath.SwitchOver());
        }
    }

    /** The ledger gave the VM back: before the stop that ends pre-copy, after it the VM runs again. */
    private void grant(long epoch) {
        granted = epoch;
        if (surrendered) {
            regrant();
        } else {
            save.tell(new SavePath.Cancel("the ledger aborted the handoff"));
        }
    }

    private void regrant() {
        if (granted > 0) {
            save.tell(new SavePath.RollBack(granted, false));
        }
    }

    private void say(MigrationReport report) {
        last = report;
        repeat();
    }

    private void repeat() {
        if (last != null) {
            core.report(last);
        }
    }

    private boolean ours(String other) {
        return migration.equals(other);
    }

    private String busy() {
        return "VM " + core.spec.name() + " is leaving with " + migration;
    }

    private String notNow(long theirs) {
        return busy() + (surrendered ? ", has surrendered" : started ? ", still runs" : ", is not set up yet")
                + " under epoch " + core.epoch() + "; asked under " + theirs;
    }
}
