package io.godwit.vm;

import io.godwit.migration.PreambleCheck;
import io.godwit.migration.ResumePath;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.migration.MigrationReport;
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

/**
 * One migration to here: an empty guest that a stream fills. It runs only once it is complete and an epoch higher than the
 * source's is granted to this host, by the coordinator or by the ledger itself; until then it may be discarded.
 *
 * <p>Complete, it asks the ledger to commit by itself: while the VM stands still, no step is to be taken that need not, and
 * the journal is to be written once. Nothing is decided here: a handoff that is not open, or has been aborted, the ledger
 * does not commit. The coordinator hears that the VM runs; that it is loaded it hears when the ledger has not answered at
 * once, and then asks for the same. Whichever comes first wins, and the other hears that it is done.
 *
 * <pre>incoming → VmRunning (granted);  incoming → VmClosing (failed, discarded)</pre>
 */
final class Arrival {
    private final VmCore core;
    private final VmParts own;
    private final String migration;
    private final ActorRef<ResumePath.Command> resume;
    private MigrationReport last;
    private boolean loaded;
    private boolean granted;

    private Arrival(VmCore core, VmParts own, String migration, ActorRef<ResumePath.Command> resume) {
        this.core = core;
        this.own = own;
        this.migration = migration;
        this.resume = resume;
        this.last = new MigrationReport.IncomingReady(migration, core.host.host(), core.host.endpoint());
    }

    static Behavior<Command> begin(VmCore core, VmParts own, HostCommand.PrepareIncoming prepare) {
        ActorRef<ResumePath.Command> resume = core.context.spawnAnonymous(ResumePath.create(
                own,
                PreambleCheck.of(
                        prepare.migration(),
                        core.spec,
                        prepare.epoch(),
                        core.requireBuilt().identities(),
                        prepare.options().verify()),
                core.host.settings(),
                core.host.clock(),
                core.context.messageAdapter(ResumePath.Event.class, Resumed::new)));
        return new Arrival(core, own, prepare.migration(), resume).incoming();
    }

    private Behavior<Command> incoming() {
        core.stand(RunState.RESTORE_VM, Optional.of(migration));
        core.report(last);
        // finds the way there and back while the VM still runs; and an answer that the handoff is over means that this
        // copy
        // was asked for too late, by a word that had been on its way for long
        core.askLedger();
        core.timers.startTimerWithFixedDelay(
                new AskLedger(), core.host.settings().ledgerPoll());
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> asked(asked);
            case StreamArrived(var preamble, var reader) -> {
                resume.tell(new ResumePath.Arrived(preamble, reader));
                yield Behaviors.same();
            }
            case Resumed(var event) -> resumed(event);
            case AskLedger() when !loaded -> core.askLedger();
            case AskLedger() -> {
                core.commit(migration);
                core.report(last);
                yield Behaviors.same();
            }
            case LedgerSaid(var reply)
            when !loaded -> {
                // aborted, or committed for an earlier copy that is gone: nothing will come any more
                if (reply.view().epoch() > core.epoch()) {
                    resume.tell(new ResumePath.Discard("the handoff is over"));
                }
                yield Behaviors.same();
            }
            case LedgerSaid(var reply) -> {
                OwnershipView view = reply.view();
                if (view.epoch() > core.epoch() && view.grants(core.host.host())) {
                    grant(view.epoch());
                } else if (view.epoch() > core.epoch()) {
                    // aborted: never granted here, so this copy may go
                    resume.tell(new ResumePath.Discard("the ledger granted the VM elsewhere"));
                }
                yield Behaviors.same();
            }
            case LookAtGuest _, Saved _, RunStateReplied _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> asked(HostCommand asked) {
        return switch (asked) {
            case HostCommand.PrepareIncoming c
            when c.migration().equals(migration) -> {
                core.report(last);
                yield Behaviors.same();
            }
            case HostCommand.RunVm c
            when c.migration().equals(migration) && c.epoch() > core.epoch() && loaded -> {
                grant(c.epoch());
                yield Behaviors.same();
            }
            case HostCommand.DiscardIncoming c
            when c.migration().equals(migration) && !granted -> {
                resume.tell(new ResumePath.Discard(c.reason()));
                yield Behaviors.same();
            }
            case HostCommand.DescribeVm c -> core.describe(own, c);
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
                    HostCommand.ReleaseSource _ -> core.refuse(asked, arriving());
        };
    }

    private Behavior<Command> resumed(ResumePath.Event event) {
        String here = core.host.host();
        return switch (event) {
            case ResumePath.Event.Loaded(var verified) -> {
                loaded = true;
                core.commit(migration);
                last = new MigrationReport.IncomingLoaded(migration, here, core.epoch(), verified);
                core.timers.startTimerWithFixedDelay(
                        new AskLedger(), core.host.settings().ledgerPoll());
                yield Behaviors.same();
            }
            case ResumePath.Event.Running(var epoch, var states) -> core.runs(own, migration, epoch, states);
            case ResumePath.Event.NotRunning(var epoch, var reason) -> {
                core.report(last);
                yield core.refuse(migration, "RunVm", "granted epoch " + epoch + ", but it did not start: " + reason);
            }
            case ResumePath.Event.Failed(var reason) -> {
                MigrationReport failed = new MigrationReport.IncomingFailed(migration, here, reason);
                yield VmClosing.begin(core, Optional.of(failed), () -> core.report(failed));
            }
            case ResumePath.Event.Discarded() -> {
                MigrationReport discarded = new MigrationReport.IncomingDiscarded(migration, here);
                yield VmClosing.begin(core, Optional.of(discarded), () -> core.report(discarded));
            }
        };
    }

    private void grant(long epoch) {
        granted = true;
        resume.tell(new ResumePath.Run(epoch));
    }

    private String arriving() {
        return "VM " + core.spec.name() + " is arriving with " + migration + (loaded ? ", loaded" : ", not loaded yet")
                + ", epoch " + core.epoch();
    }
}
