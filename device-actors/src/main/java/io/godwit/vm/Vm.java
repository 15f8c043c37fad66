package io.godwit.vm;

import io.godwit.device.Device;
import io.godwit.memory.MemoryContainer;
import io.godwit.migration.DataPlane;
import io.godwit.migration.PreambleCheck;
import io.godwit.migration.ResumePath;
import io.godwit.migration.SavePath;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.migration.StateTriple;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamReader;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.StashBuffer;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * One VM on one host: owns the guest and the actors of its devices and containers, and holds the ownership grant. It runs
 * vCPUs only under a grant; once it was told to switch over it has surrendered and runs again only under a higher epoch.
 *
 * <pre>
 * building → starting → running ⇄ checking
 *                       running → saving → running        (failed before the stop, or rolled back under a higher epoch)
 *                                 saving → closing → gone (committed elsewhere)
 * building → incoming → arrived: running                  (granted)
 *            incoming → closing → gone                    (failed, discarded)
 * </pre>
 */
public final class Vm {
    /** What a Vm is told. */
    public sealed interface Command {}

    /** A coordinator asks; answered to its replyTo, or to the migration it names. */
    public record Asked(HostCommand command) implements Command {}

    /** The stream of an incoming migration has connected. */
    public record StreamArrived(Preamble preamble, StreamReader reader) implements Command {}

    private record Built(@Nullable VmBuilder parts, String error) implements Command {}

    private record RunStateReplied(RunStateChange.Outcome outcome) implements Command {}

    private record Checked(@Nullable GuestCheck check, String error) implements Command {}

    private record Saved(SavePath.Event event) implements Command {}

    private record Resumed(ResumePath.Event event) implements Command {}

    private record LedgerSaid(OwnershipReply reply) implements Command {}

    private record AskLedger() implements Command {}

    private record LookAtGuest() implements Command {}

    private record Closed() implements Command {}

    /** What the host agent hears. */
    public sealed interface Event {
        /** The VM concerned. */
        String vm();

        /** How it stands now. */
        record Standing(VmStatus status) implements Event {
            @Override
            public String vm() {
                return status.spec().name();
            }
        }

        /** It is not here any more; its memory is free. {@code last} is what a late repetition is to be answered with. */
        record Gone(String vm, Optional<MigrationReport> last) implements Event {}
    }

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final StashBuffer<Command> stash;
    private final VmHost host;
    private final VmSpec spec;
    private long epoch;
    private @Nullable VmBuilder built;
    private @Nullable VmParts parts;

    private Vm(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            StashBuffer<Command> stash,
            VmHost host,
            VmSpec spec,
            long epoch) {
        this.context = context;
        this.timers = timers;
        this.stash = stash;
        this.host = host;
        this.spec = spec;
        this.epoch = epoch;
    }

    /** A new VM: built, then run under {@code epoch}; {@code create} is answered when it runs. */
    public static Behavior<Command> create(VmHost host, GuestDriver driver, HostCommand.CreateVm create) {
        return setup(host, create.spec(), create.epoch(), vm -> vm.building(driver, Optional.of(create), null));
    }

    /** A VM that arrives: built empty, then loaded by a stream, and run once the ledger grants it. */
    public static Behavior<Command> incoming(VmHost host, GuestDriver driver, HostCommand.PrepareIncoming prepare) {
        return setup(host, prepare.spec(), prepare.epoch(), vm -> vm.building(driver, Optional.empty(), prepare));
    }

    private static Behavior<Command> setup(
            VmHost host, VmSpec spec, long epoch, Function<Vm, Behavior<Command>> begin) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers ->
                Behaviors.withStash(64, stash -> begin.apply(new Vm(context, timers, stash, host, spec, epoch)))));
    }

    private Behavior<Command> building(
            GuestDriver driver, Optional<HostCommand.CreateVm> create, HostCommand.@Nullable PrepareIncoming prepare) {
        stand(RunState.PRELAUNCH, Optional.ofNullable(prepare).map(HostCommand.PrepareIncoming::migration));
        io(
                () -> VmBuilder.build(
                        host,
                        driver,
                        spec,
                        prepare != null,
                        context.getSystem().settings().config()),
                Built::new);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Built(var made, var error) -> {
                if (made == null) {
                    create.ifPresent(c -> c.replyTo().tell(new HostReply.HostRefused(host.host(), error)));
                    if (prepare != null) {
                        report(new MigrationReport.IncomingFailed(prepare.migration(), host.host(), error));
                    }
                    yield gone(Optional.empty());
                }
                VmParts own = adopt(made);
                yield stash.unstashAll(prepare == null ? starting(own, create) : incoming(made, own, prepare));
            }
            case Asked _, StreamArrived _ -> stashed(command);
            case RunStateReplied _, Checked _, Saved _, Resumed _, LedgerSaid _, AskLedger _, LookAtGuest _, Closed _ ->
                Behaviors.unhandled();
        });
    }

    private VmParts adopt(VmBuilder made) {
        built = made;
        SequencedMap<String, ActorRef<Device.Command>> devices = new LinkedHashMap<>();
        made.devices()
                .forEach((name, device) -> devices.put(
                        name, context.spawn(Device.create(name, device, host.dataPlane()), "device-" + name)));
        SequencedMap<String, ActorRef<MemoryContainer.Command>> containers = new LinkedHashMap<>();
        made.containers()
                .forEach((name, space) -> containers.put(
                        name,
                        context.spawn(MemoryContainer.create(name, space, host.dataPlane()), "container-" + name)));
        VmParts own = new VmParts(spec, made.guest(), devices, containers, host.dataPlane(), host.runLog());
        parts = own;
        return own;
    }

    private Behavior<Command> starting(VmParts own, Optional<HostCommand.CreateVm> create) {
        changeRunState(own, RunState.RUNNING);
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed _) -> {
                VmStatus status = stand(RunState.RUNNING, Optional.empty());
                create.ifPresent(c -> c.replyTo().tell(new HostReply.VmChanged(status)));
                yield stash.unstashAll(running(own));
            }
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                create.ifPresent(c -> c.replyTo().tell(new HostReply.HostRefused(host.host(), reason)));
                yield closing(Optional.empty(), () -> {});
            }
            case Asked _, StreamArrived _ -> stashed(command);
            case Built _, Checked _, Saved _, Resumed _, LedgerSaid _, AskLedger _, LookAtGuest _, Closed _ ->
                Behaviors.unhandled();
        });
    }

    private Behavior<Command> running(VmParts own) {
        timers.cancelAll();
        timers.startTimerWithFixedDelay(new LookAtGuest(), host.settings().ledgerPoll());
        stand(RunState.RUNNING, Optional.empty());
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> runningAsked(own, asked);
            case StreamArrived arrived -> refuse(arrived, "VM " + spec.name() + " runs here");
            case LookAtGuest() -> {
                if (own.guest().failure().isPresent()) {
                    stand(RunState.INTERNAL_ERROR, Optional.empty());
                }
                yield Behaviors.same();
            }
            // late words of a path that has ended, or of the ledger to a question that is settled
            case LedgerSaid _, AskLedger _, Saved _, Resumed _, RunStateReplied _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> runningAsked(VmParts own, HostCommand asked) {
        return switch (asked) {
            case HostCommand.CreateVm create -> {
                create.replyTo()
                        .tell(
                                create.spec().name().equals(spec.name()) && create.epoch() == epoch
                                        ? new HostReply.VmChanged(stand(RunState.RUNNING, Optional.empty()))
                                        : refusedHere("VM " + spec.name() + " exists under epoch " + epoch));
                yield Behaviors.same();
            }
            case HostCommand.DestroyVm destroy -> {
                if (destroy.epoch() < epoch) {
                    destroy.replyTo().tell(refusedHere(stale(destroy.epoch())));
                    yield Behaviors.same();
                }
                yield stopThenClose(own, destroy.replyTo());
            }
            case HostCommand.CheckVm check -> checking(own, check);
            case HostCommand.BeginSave begin -> {
                if (begin.epoch() != epoch) {
                    yield refuse(begin.migration(), "BeginSave", stale(begin.epoch()));
                }
                yield saving(own, begin);
            }
            case HostCommand.RunVm run -> {
                if (run.epoch() < epoch) {
                    yield refuse(run.migration(), "RunVm", stale(run.epoch()));
                }
                // granted again after an aborted handoff before which it had not stopped: only the epoch is new
                epoch = run.epoch();
                host.runLog().running(spec.name(), epoch);
                stand(RunState.RUNNING, Optional.empty());
                report(new MigrationReport.VmRunning(run.migration(), host.host(), epoch, List.of()));
                yield Behaviors.same();
            }
            case HostCommand.CancelSave cancel -> {
                report(new MigrationReport.SaveFailed(
                        cancel.migration(), host.host(), "it was not being saved", true, false, List.of()));
                yield Behaviors.same();
            }
            case HostCommand.SwitchOver c -> refuse(c.migration(), "SwitchOver", "it is not being saved");
            case HostCommand.ReleaseSource c ->
                refuse(c.migration(), "ReleaseSource", "VM " + spec.name() + " runs here");
            case HostCommand.PrepareIncoming c ->
                refuse(c.migration(), "PrepareIncoming", "VM " + spec.name() + " runs here already");
            case HostCommand.DiscardIncoming c ->
                refuse(c.migration(), "DiscardIncoming", "VM " + spec.name() + " runs here, granted epoch " + epoch);
        };
    }

    private Behavior<Command> stopThenClose(VmParts own, ActorRef<HostReply> replyTo) {
        changeRunState(own, RunState.PAUSED);
        return Behaviors.receiveMessage(command -> switch (command) {
            // a guest that does not stop in good order is closed all the same: closing ends its vCPUs
            case RunStateReplied _ -> closing(Optional.empty(), () -> replyTo.tell(new HostReply.VmGone(spec.name())));
            case Asked _, StreamArrived _ -> stashed(command);
            case LookAtGuest _, LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    /** Stands still for a moment, looks, and runs on. */
    private Behavior<Command> checking(VmParts own, HostCommand.CheckVm check) {
        changeRunState(own, RunState.PAUSED);
        boolean[] resuming = {false};
        return Behaviors.receiveMessage(command -> switch (command) {
            case RunStateReplied(RunStateChange.Outcome.Changed _) -> {
                if (resuming[0]) {
                    yield stash.unstashAll(running(own));
                }
                io(() -> requireBuilt().check(), Checked::new);
                yield Behaviors.same();
            }
            case RunStateReplied(RunStateChange.Outcome.NotChanged(var _, var reason)) -> {
                check.replyTo().tell(refusedHere(reason));
                yield stash.unstashAll(running(own));
            }
            case Checked(var result, var error) -> {
                check.replyTo()
                        .tell(result == null ? refusedHere(error) : new HostReply.VmChecked(spec.name(), result));
                resuming[0] = true;
                changeRunState(own, RunState.RUNNING);
                yield Behaviors.same();
            }
            case Asked _, StreamArrived _ -> stashed(command);
            case LookAtGuest _, LedgerSaid _, AskLedger _, Saved _, Resumed _ -> Behaviors.same();
            case Built _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> saving(VmParts own, HostCommand.BeginSave begin) {
        timers.cancelAll();
        String migration = begin.migration();
        stand(RunState.RUNNING, Optional.of(migration));
        Preamble preamble = PreambleCheck.of(
                migration,
                spec,
                epoch,
                requireBuilt().identities(),
                begin.options().verify());
        ActorRef<SavePath.Command> save = context.spawnAnonymous(SavePath.create(
                own,
                preamble,
                begin.destination(),
                begin.options(),
                host.settings(),
                host.opener(),
                host.clock(),
                context.messageAdapter(SavePath.Event.class, Saved::new)));
        Departure departure = new Departure(migration, save);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> savingAsked(departure, asked);
            case Saved(var event) -> saved(own, departure, event);
            case StreamArrived arrived -> refuse(arrived, "VM " + spec.name() + " is leaving this host");
            case AskLedger() -> askLedger();
            case LedgerSaid(var reply) -> {
                OwnershipView view = reply.view();
                // only an abort lets it run again here; after a commit it waits to be told to let go
                if (view.epoch() > epoch && view.grants(host.host())) {
                    departure.grant(view.epoch());
                }
                yield Behaviors.same();
            }
            case LookAtGuest _, Resumed _, RunStateReplied _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> savingAsked(Departure departure, HostCommand asked) {
        return switch (asked) {
            case HostCommand.BeginSave c
            when c.migration().equals(departure.migration) -> {
                departure.repeat(this);
                yield Behaviors.same();
            }
            case HostCommand.SwitchOver c
            when c.migration().equals(departure.migration) && c.epoch() == epoch -> {
                if (!departure.surrendered) {
                    departure.surrendered = true;
                    stand(RunState.FINISH_MIGRATE, Optional.of(departure.migration));
                    timers.startTimerWithFixedDelay(
                            new AskLedger(), host.settings().ledgerPoll());
                    departure.save.tell(new SavePath.SwitchOver());
                }
                yield Behaviors.same();
            }
            case HostCommand.CancelSave c
            when c.migration().equals(departure.migration) && !departure.surrendered -> {
                departure.save.tell(new SavePath.Cancel(c.reason()));
                yield Behaviors.same();
            }
            case HostCommand.RunVm c
            when c.migration().equals(departure.migration) && c.epoch() > epoch -> {
                departure.grant(c.epoch());
                yield Behaviors.same();
            }
            case HostCommand.ReleaseSource c
            when c.migration().equals(departure.migration) && c.epoch() > epoch && departure.surrendered -> {
                departure.save.tell(new SavePath.Release());
                yield Behaviors.same();
            }
            case HostCommand.CreateVm c -> {
                c.replyTo().tell(refusedHere(busy(departure)));
                yield Behaviors.same();
            }
            case HostCommand.DestroyVm c -> {
                c.replyTo().tell(refusedHere(busy(departure)));
                yield Behaviors.same();
            }
            case HostCommand.CheckVm c -> {
                c.replyTo().tell(refusedHere(busy(departure)));
                yield Behaviors.same();
            }
            case HostCommand.BeginSave c -> refuse(c.migration(), "BeginSave", busy(departure));
            case HostCommand.SwitchOver c -> refuse(c.migration(), "SwitchOver", notNow(departure, c.epoch()));
            case HostCommand.CancelSave c -> refuse(c.migration(), "CancelSave", notNow(departure, epoch));
            case HostCommand.RunVm c -> refuse(c.migration(), "RunVm", notNow(departure, c.epoch()));
            case HostCommand.ReleaseSource c -> refuse(c.migration(), "ReleaseSource", notNow(departure, c.epoch()));
            case HostCommand.PrepareIncoming c -> refuse(c.migration(), "PrepareIncoming", busy(departure));
            case HostCommand.DiscardIncoming c -> refuse(c.migration(), "DiscardIncoming", busy(departure));
        };
    }

    private Behavior<Command> saved(VmParts own, Departure departure, SavePath.Event event) {
        String migration = departure.migration;
        return switch (event) {
            case SavePath.Event.Started() -> {
                departure.last = new MigrationReport.SaveStarted(migration, host.host());
                departure.repeat(this);
                yield Behaviors.same();
            }
            case SavePath.Event.Progressed(var progress) -> {
                host.reports().tell(new SaveProgress(migration, host.host(), progress));
                yield Behaviors.same();
            }
            case SavePath.Event.Ready(var stats) -> {
                departure.last = new MigrationReport.ReadyToSwitchOver(migration, host.host(), stats);
                departure.repeat(this);
                yield Behaviors.same();
            }
            case SavePath.Event.Failed(var reason, var cancelled, var stopped, var states) -> {
                departure.last =
                        new MigrationReport.SaveFailed(migration, host.host(), reason, cancelled, stopped, states);
                departure.repeat(this);
                if (stopped) {
                    departure.regrant();
                    yield Behaviors.same();
                }
                if (departure.granted > epoch) {
                    yield ranAgain(own, migration, departure.granted, states);
                }
                yield running(own);
            }
            case SavePath.Event.RolledBack(var granted, var error, var states) -> {
                if (!error.isEmpty()) {
                    context.getLog().error("{}: rolled back with errors: {}", spec.name(), error);
                }
                yield ranAgain(own, migration, granted, states);
            }
            case SavePath.Event.Released(var stats, var downtime, var states) -> {
                MigrationReport last =
                        new MigrationReport.SourceReleased(migration, host.host(), stats, downtime, states);
                yield closing(Optional.of(last), () -> report(last));
            }
        };
    }

    private Behavior<Command> ranAgain(VmParts own, String migration, long granted, List<StateTriple> states) {
        epoch = granted;
        report(new MigrationReport.VmRunning(migration, host.host(), epoch, states));
        return running(own);
    }

    private Behavior<Command> incoming(VmBuilder made, VmParts own, HostCommand.PrepareIncoming prepare) {
        Preamble expected = PreambleCheck.of(
                prepare.migration(),
                spec,
                prepare.epoch(),
                made.identities(),
                prepare.options().verify());
        ActorRef<ResumePath.Command> resume = context.spawnAnonymous(ResumePath.create(
                own,
                expected,
                host.settings(),
                host.clock(),
                context.messageAdapter(ResumePath.Event.class, Resumed::new)));
        Arrival arrival = new Arrival(
                prepare.migration(),
                resume,
                new MigrationReport.IncomingReady(prepare.migration(), host.host(), host.endpoint()));
        stand(RunState.RESTORE_VM, Optional.of(prepare.migration()));
        report(arrival.last);
        return Behaviors.receiveMessage(command -> switch (command) {
            case Asked(var asked) -> incomingAsked(arrival, asked);
            case StreamArrived(var preamble, var reader) -> {
                resume.tell(new ResumePath.Arrived(preamble, reader));
                yield Behaviors.same();
            }
            case Resumed(var event) -> resumed(own, arrival, event);
            case AskLedger() -> {
                report(arrival.last);
                yield askLedger();
            }
            case LedgerSaid(var reply) -> {
                OwnershipView view = reply.view();
                if (view.epoch() > epoch && view.grants(host.host())) {
                    arrival.grant(view.epoch());
                } else if (view.epoch() > epoch) {
                    // aborted: never granted here, so this copy may go
                    resume.tell(new ResumePath.Discard("the ledger granted the VM elsewhere"));
                }
                yield Behaviors.same();
            }
            case LookAtGuest _, Saved _, RunStateReplied _ -> Behaviors.same();
            case Built _, Checked _, Closed _ -> Behaviors.unhandled();
        });
    }

    private Behavior<Command> incomingAsked(Arrival arrival, HostCommand asked) {
        return switch (asked) {
            case HostCommand.PrepareIncoming c
            when c.migration().equals(arrival.migration) -> {
                report(arrival.last);
                yield Behaviors.same();
            }
            case HostCommand.RunVm c
            when c.migration().equals(arrival.migration) && c.epoch() > epoch && arrival.loaded -> {
                arrival.grant(c.epoch());
                yield Behaviors.same();
            }
            case HostCommand.DiscardIncoming c
            when c.migration().equals(arrival.migration) && !arrival.granted() -> {
                arrival.resume.tell(new ResumePath.Discard(c.reason()));
                yield Behaviors.same();
            }
            case HostCommand.CreateVm c -> {
                c.replyTo().tell(refusedHere(arriving(arrival)));
                yield Behaviors.same();
            }
            case HostCommand.DestroyVm c -> {
                c.replyTo().tell(refusedHere(arriving(arrival)));
                yield Behaviors.same();
            }
            case HostCommand.CheckVm c -> {
                c.replyTo().tell(refusedHere(arriving(arrival)));
                yield Behaviors.same();
            }
            case HostCommand.PrepareIncoming c -> refuse(c.migration(), "PrepareIncoming", arriving(arrival));
            case HostCommand.RunVm c -> refuse(c.migration(), "RunVm", arriving(arrival));
            case HostCommand.DiscardIncoming c -> refuse(c.migration(), "DiscardIncoming", arriving(arrival));
            case HostCommand.BeginSave c -> refuse(c.migration(), "BeginSave", arriving(arrival));
            case HostCommand.SwitchOver c -> refuse(c.migration(), "SwitchOver", arriving(arrival));
            case HostCommand.CancelSave c -> refuse(c.migration(), "CancelSave", arriving(arrival));
            case HostCommand.ReleaseSource c -> refuse(c.migration(), "ReleaseSource", arriving(arrival));
        };
    }

    private Behavior<Command> resumed(VmParts own, Arrival arrival, ResumePath.Event event) {
        return switch (event) {
            case ResumePath.Event.Loaded(var verified) -> {
                arrival.loaded = true;
                arrival.last = new MigrationReport.IncomingLoaded(arrival.migration, host.host(), epoch, verified);
                report(arrival.last);
                timers.startTimerWithFixedDelay(new AskLedger(), host.settings().ledgerPoll());
                yield Behaviors.same();
            }
            case ResumePath.Event.Running(var granted, var states) -> ranAgain(own, arrival.migration, granted, states);
            case ResumePath.Event.NotRunning(var granted, var reason) -> {
                yield refuse(
                        arrival.migration, "RunVm", "granted epoch " + granted + ", but it did not start: " + reason);
            }
            case ResumePath.Event.Failed(var reason) -> {
                MigrationReport last = new MigrationReport.IncomingFailed(arrival.migration, host.host(), reason);
                yield closing(Optional.of(last), () -> report(last));
            }
            case ResumePath.Event.Discarded() -> {
                MigrationReport last = new MigrationReport.IncomingDiscarded(arrival.migration, host.host());
                yield closing(Optional.of(last), () -> report(last));
            }
        };
    }

    /** Frees everything; {@code then} runs when nothing is left. */
    private Behavior<Command> closing(Optional<MigrationReport> last, Runnable then) {
        timers.cancelAll();
        host.runLog().stopped(spec.name(), epoch);
        VmBuilder made = built;
        io(
                () -> {
                    if (made != null) {
                        made.close();
                    }
                    return true;
                },
                (_, error) -> {
                    if (!error.isEmpty()) {
                        context.getLog().error("{}: closing: {}", spec.name(), error);
                    }
                    return new Closed();
                });
        return Behaviors.receiveMessage(command -> switch (command) {
            case Closed() -> {
                then.run();
                yield gone(last);
            }
            case Asked _, StreamArrived _ -> Behaviors.same();
            case Built _, RunStateReplied _, Checked _, Saved _, Resumed _, LedgerSaid _, AskLedger _, LookAtGuest _ ->
                Behaviors.same();
        });
    }

    private Behavior<Command> gone(Optional<MigrationReport> last) {
        host.observer().tell(new Event.Gone(spec.name(), last));
        return Behaviors.stopped();
    }

    private Behavior<Command> askLedger() {
        host.ledger()
                .tell(new OwnershipCommand.QueryOwnership(
                        spec.name(), context.messageAdapter(OwnershipReply.class, LedgerSaid::new)));
        return Behaviors.same();
    }

    private void changeRunState(VmParts own, RunState target) {
        context.spawnAnonymous(RunStateChange.create(
                own, epoch, target, context.messageAdapter(RunStateChange.Outcome.class, RunStateReplied::new)));
    }

    private VmStatus stand(RunState state, Optional<String> migration) {
        Optional<String> failure =
                parts == null ? Optional.empty() : parts.guest().failure();
        VmStatus status = new VmStatus(
                spec,
                failure.isPresent() ? RunState.INTERNAL_ERROR : state,
                epoch,
                migration,
                state == RunState.RESTORE_VM || (state == RunState.PRELAUNCH && migration.isPresent()),
                failure);
        host.observer().tell(new Event.Standing(status));
        return status;
    }

    void report(MigrationReport report) {
        host.reports().tell(report);
    }

    private Behavior<Command> refuse(String migration, String command, String reason) {
        report(new MigrationReport.CommandRefused(migration, host.host(), command, reason, epoch));
        return Behaviors.same();
    }

    private Behavior<Command> refuse(StreamArrived arrived, String reason) {
        host.dataPlane().execute(() -> ResumePath.refuse(arrived.reader(), reason));
        return Behaviors.same();
    }

    private Behavior<Command> stashed(Command command) {
        if (stash.isFull()) {
            context.getLog().warn("{}: too many commands while busy, dropped {}", spec.name(), command);
        } else {
            stash.stash(command);
        }
        return Behaviors.same();
    }

    private HostReply refusedHere(String reason) {
        return new HostReply.HostRefused(host.host(), reason);
    }

    private String stale(long theirs) {
        return "VM " + spec.name() + " is held under epoch " + epoch + ", not " + theirs;
    }

    private String busy(Departure departure) {
        return "VM " + spec.name() + " is leaving with " + departure.migration;
    }

    private String notNow(Departure departure, long theirs) {
        return busy(departure) + (departure.surrendered ? ", has surrendered" : ", still runs") + " under epoch "
                + epoch + "; asked under " + theirs;
    }

    private String arriving(Arrival arrival) {
        return "VM " + spec.name() + " is arriving with " + arrival.migration
                + (arrival.loaded ? ", loaded" : ", not loaded yet") + ", epoch " + epoch;
    }

    private VmBuilder requireBuilt() {
        if (built == null) {
            throw new IllegalStateException(spec.name() + " is not built");
        }
        return built;
    }

    private <T> void io(Callable<T> job, BiFunction<@Nullable T, String, Command> done) {
        context.pipeToSelf(
                DataPlane.call(job, host.dataPlane()),
                (value, thrown) -> done.apply(value, thrown == null ? "" : DataPlane.reason(thrown)));
    }

    /** One migration away from here. */
    private static final class Departure {
        final String migration;
        final ActorRef<SavePath.Command> save;
        boolean surrendered;
        long granted;

        @Nullable
        MigrationReport last;

        Departure(String migration, ActorRef<SavePath.Command> save) {
            this.migration = migration;
            this.save = save;
        }

        /** The ledger gave the VM back: before the stop that ends pre-copy, after it the VM runs again. */
        void grant(long epoch) {
            granted = epoch;
            if (surrendered) {
                regrant();
            } else {
                save.tell(new SavePath.Cancel("the ledger aborted the handoff"));
            }
        }

        void regrant() {
            if (granted > 0) {
                save.tell(new SavePath.RollBack(granted, false));
            }
        }

        void repeat(Vm vm) {
            if (last != null) {
                vm.report(last);
            }
        }
    }

    /** One migration to here. */
    private static final class Arrival {
        final String migration;
        final ActorRef<ResumePath.Command> resume;
        MigrationReport last;
        boolean loaded;
        private boolean running;

        Arrival(String migration, ActorRef<ResumePath.Command> resume, MigrationReport last) {
            this.migration = migration;
            this.resume = resume;
            this.last = last;
        }

        void grant(long epoch) {
            running = true;
            resume.tell(new ResumePath.Run(epoch));
        }

        boolean granted() {
            return running;
        }
    }
}
