package io.godwit.safety;

import io.godwit.evacuation.Leftovers;
import io.godwit.evacuation.MigrationState;
import io.godwit.evacuation.MigrationState.Asked;
import io.godwit.evacuation.MigrationState.Ended;
import io.godwit.evacuation.MigrationState.Unasked;
import io.godwit.plan.Pictures;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.BeginSave;
import io.godwit.proto.host.HostCommand.CancelSave;
import io.godwit.proto.host.HostCommand.DestroyVm;
import io.godwit.proto.host.HostCommand.DiscardIncoming;
import io.godwit.proto.host.HostCommand.PrepareIncoming;
import io.godwit.proto.host.HostCommand.ReleaseSource;
import io.godwit.proto.host.HostCommand.RunVm;
import io.godwit.proto.host.HostCommand.SwitchOver;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.Downtime;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.MigrationReport.IncomingDiscarded;
import io.godwit.proto.migration.MigrationReport.IncomingFailed;
import io.godwit.proto.migration.MigrationReport.IncomingLoaded;
import io.godwit.proto.migration.MigrationReport.IncomingReady;
import io.godwit.proto.migration.MigrationReport.ReadyToSwitchOver;
import io.godwit.proto.migration.MigrationReport.SaveFailed;
import io.godwit.proto.migration.MigrationReport.SaveStarted;
import io.godwit.proto.migration.MigrationReport.SourceReleased;
import io.godwit.proto.migration.MigrationReport.VmRunning;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import io.godwit.safety.Copy.Incoming;
import io.godwit.safety.Copy.Loaded;
import io.godwit.safety.Copy.Nothing;
import io.godwit.safety.Copy.Running;
import io.godwit.safety.Copy.Saving;
import io.godwit.safety.Copy.Surrendered;
import io.godwit.safety.Word.ToHost;
import io.godwit.safety.Word.Wish;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;

/** What hosts do with one VM, as Vm, Departure and Arrival have it: native guests, which die with their agent. */
final class Agents {
    private final HandoffModel model;

    Agents(HandoffModel model) {
        this.model = model;
    }

    private Copy copy(World world, int host) {
        return model.copies.get(world.copy(host));
    }

    private World with(World world, int host, Copy copy) {
        return world.withCopy(host, model.copies.of(copy));
    }

    private static String name(int host) {
        return HandoffModel.HOSTS.get(host);
    }

    /** A command arrives; empty when it changes nothing. */
    Optional<World> hear(World world, int host, HostCommand command) {
        Copy copy = copy(world, host);
        String here = name(host);
        return switch (command) {
            case PrepareIncoming c ->
                switch (copy) {
                    case Nothing() ->
                        Optional.of(model.say(
                                with(world, host, new Incoming(c.migration(), c.epoch(), false)),
                                new IncomingReady(c.migration(), here, HandoffModel.ENDPOINT)));
                    case Running(var epoch)
                    when epoch > c.epoch() -> Optional.of(runs(world, c.migration(), host, epoch));
                    case Running _, Saving _, Surrendered _, Incoming _, Loaded _ -> Optional.empty();
                };
            case BeginSave c
            when copy instanceof Running(var epoch) && epoch == c.epoch() -> Optional.of(connect(world, host, c));
            case SwitchOver c
            when copy.equals(new Saving(c.migration(), c.epoch())) ->
                Optional.of(surrender(world, host, c.migration(), c.epoch()));
            case RunVm c -> granted(world, host, c.migration(), c.epoch());
            case ReleaseSource c ->
                switch (copy) {
                    case Surrendered(var migration, var epoch, var _)
                    when migration.equals(c.migration()) && c.epoch() > epoch ->
                        Optional.of(released(world, host, migration));
                    // the last word is repeated, or after a crash refused until the migration believes it
                    case Nothing() -> Optional.of(released(world, host, c.migration()));
                    case Running _, Saving _, Surrendered _, Incoming _, Loaded _ -> Optional.empty();
                };
            case DiscardIncoming c ->
                switch (copy) {
                    case Incoming in
                    when in.migration().equals(c.migration()) -> Optional.of(discarded(world, host, c.migration()));
                    case Loaded loaded
                    when loaded.migration().equals(c.migration()) -> Optional.of(discarded(world, host, c.migration()));
                    case Nothing() -> Optional.of(discarded(world, host, c.migration()));
                    // refused: whatever is here is not that copy
                    case Running _, Saving _, Surrendered _, Incoming _, Loaded _ ->
                        Optional.of(refused(world, host, c.migration(), "DiscardIncoming"));
                };
            case CancelSave c ->
                switch (copy) {
                    case Saving(var migration, var epoch)
                    when migration.equals(c.migration()) ->
                        Optional.of(failed(with(world, host, new Running(epoch)), host, migration, true, false));
                    case Running _ -> Optional.of(failed(world, host, c.migration(), true, false));
                    case Nothing _, Saving _, Surrendered _, Incoming _, Loaded _ ->
                        Optional.of(refused(world, host, c.migration(), "CancelSave"));
                };
            case DestroyVm c
            when copy instanceof Running(var epoch) && c.epoch() >= epoch ->
                Optional.of(with(world, host, new Nothing()));
            case BeginSave _,
                    SwitchOver _,
                    DestroyVm _,
                    HostCommand.CreateVm _,
                    HostCommand.CheckVm _,
                    HostCommand.DescribeVm _,
                    HostCommand.AdjustSave _ -> Optional.empty();
        };
    }

    /** The ledger's answer arrives at every host that asks it. */
    void hearLedger(World world, OwnershipView view, BiConsumer<String, World> next) {
        for (int host = 0; host < HandoffModel.HOSTS.size(); host++) {
            Copy copy = copy(world, host);
            if (copy instanceof Surrendered(var migration, var epoch, var _)
                    && view.grants(name(host))
                    && newer(view.epoch(), epoch)) {
                next.accept(
                        name(host) + " hears of the ledger " + HandoffModel.brief(view),
                        runs(world, migration, host, view.epoch()));
            } else if (copy instanceof Incoming(var migration, var epoch, var _) && view.epoch() > epoch) {
                // aborted, or committed for an earlier copy that is gone: nothing will come any more
                next.accept(
                        name(host) + " hears of the ledger " + HandoffModel.brief(view),
                        discarded(world, host, migration));
            } else if (copy instanceof Loaded(var migration, var epoch) && newer(view.epoch(), epoch)) {
                next.accept(
                        name(host) + " hears of the ledger " + HandoffModel.brief(view),
                        view.grants(name(host))
                                ? runs(world, migration, host, view.epoch())
                                : view.epoch() > epoch ? discarded(world, host, migration) : world);
            }
        }
    }

    private boolean newer(long theirs, long ours) {
        return theirs > ours || (theirs == ours && !model.keeps(Guard.GRANTS_HAVE_NEWER_EPOCHS));
    }

    private Optional<World> granted(World world, int host, String migration, long epoch) {
        return switch (copy(world, host)) {
            case Surrendered(var ours, var had, var _)
            when ours.equals(migration) && epoch > had -> Optional.of(runs(world, migration, host, epoch));
            case Saving(var ours, var had)
            when ours.equals(migration) && epoch > had -> Optional.of(runs(world, migration, host, epoch));
            case Loaded(var ours, var had)
            when ours.equals(migration) && epoch > had -> Optional.of(runs(world, migration, host, epoch));
            case Running(var had) when epoch >= had -> Optional.of(runs(world, migration, host, epoch));
            case Nothing _, Incoming _ -> Optional.of(refused(world, host, migration, "RunVm"));
            case Running _, Saving _, Surrendered _, Loaded _ -> Optional.empty();
        };
    }

    /** What agents do by themselves: copy, connect, send the rest, lose a stream, die. */
    void steps(World world, BiConsumer<String, World> next) {
        for (int i = 0; i < HandoffModel.HOSTS.size(); i++) {
            int host = i;
            String here = name(host);
            switch (copy(world, host)) {
                case Saving(var migration, var epoch) -> {
                    next.accept(
                            here + " is ready to switch over",
                            model.say(
                                    model.keeps(Guard.STOPS_UNDER_AN_OPEN_HANDOFF)
                                            ? world
                                            : surrender(world, host, migration, epoch),
                                    new ReadyToSwitchOver(migration, here, SaveStats.NONE)));
                    if (model.streamsBreak()) {
                        next.accept(
                                here + " loses the stream while it runs",
                                failed(with(world, host, new Running(epoch)), host, migration, false, false));
                    }
                }
                case Surrendered(var migration, var epoch, var streams) -> {
                    if (streams) {
                        loads(world, host, migration).ifPresent(after -> next.accept(here + " sends the rest", after));
                    }
                    if (streams && model.streamsBreak()) {
                        next.accept(
                                here + " loses the stream while it stands",
                                failed(
                                        with(
                                                world,
                                                host,
                                                model.keeps(Guard.SURRENDERED_WAITS_FOR_A_GRANT)
                                                        ? new Surrendered(migration, epoch, false)
                                                        : new Running(epoch)),
                                        host,
                                        migration,
                                        false,
                                        true));
                    }
                }
                case Incoming(var migration, var _, var _) -> {
                    if (model.streamsBreak()) {
                        next.accept(
                                here + " loses the stream",
                                model.say(with(world, host, new Nothing()), new IncomingFailed(migration, here, "r")));
                    }
                    if (!model.keeps(Guard.COMMITS_ONLY_WHEN_LOADED)
                            && model.migration(world, migration) instanceof Asked asked) {
                        next.accept(here + " asks for the commit early", model.ask(world, Wish.COMMIT, asked));
                    }
                }
                case Loaded(var migration, var epoch) -> {
                    if (!model.keeps(Guard.DESTINATION_WAITS_FOR_THE_COMMIT)) {
                        next.accept(here + " runs what it has loaded", runs(world, migration, host, epoch + 1));
                    }
                }
                case Nothing _, Running _ -> {}
            }
            if (world.crashes() > 0 && !(copy(world, host) instanceof Nothing)) {
                next.accept(here + " is killed", crash(world, host));
            }
        }
    }

    /** Every host says its last word again. */
    World repeated(World world) {
        World told = world;
        for (int host = 0; host < HandoffModel.HOSTS.size(); host++) {
            String here = name(host);
            switch (copy(world, host)) {
                case Saving(var migration, var _) ->
                    told = model.say(
                            model.say(told, new SaveStarted(migration, here)),
                            new ReadyToSwitchOver(migration, here, SaveStats.NONE));
                case Incoming(var migration, var _, var _) ->
                    told = model.say(told, new IncomingReady(migration, here, HandoffModel.ENDPOINT));
                case Loaded(var migration, var epoch) -> {
                    told = model.say(told, new IncomingLoaded(migration, here, epoch, true));
                    if (model.migration(world, migration) instanceof Asked asked) {
                        told = model.ask(told, Wish.COMMIT, asked);
                    }
                }
                case Nothing _, Running _, Surrendered _ -> {}
            }
        }
        return told;
    }

    /** The order for what no migration minds, sent by whoever looks; it may be old when it arrives. */
    void clearLeftovers(World world, BiConsumer<String, World> next) {
        if (!model.keeps(Guard.LEFTOVERS_ARE_CLEARED)) {
            return;
        }
        for (int i = 0; i < HandoffModel.HOSTS.size(); i++) {
            int host = i;
            status(copy(world, host)).ifPresent(status -> {
                MigrationState minded =
                        status.migration().map(id -> model.migration(world, id)).orElse(new Unasked(""));
                boolean ended = minded instanceof Ended || minded instanceof Unasked;
                Leftovers.order(name(host), status, model.view(world), ended, model.hostsSpeakToNobody())
                        .map(order -> world.saying(model.word(new ToHost(name(host), order))))
                        .filter(after -> !after.equals(world))
                        .ifPresent(after -> next.accept("leftovers on " + name(host) + " are seen", after));
            });
        }
    }

    private static Optional<VmStatus> status(Copy copy) {
        return switch (copy) {
            case Nothing() -> Optional.empty();
            case Running(var epoch) -> status(RunState.RUNNING, epoch, Optional.empty(), false);
            case Saving(var m, var epoch) -> status(RunState.RUNNING, epoch, Optional.of(m), false);
            case Surrendered(var m, var epoch, var _) -> status(RunState.FINISH_MIGRATE, epoch, Optional.of(m), false);
            case Incoming(var m, var epoch, var _) -> status(RunState.RESTORE_VM, epoch, Optional.of(m), true);
            case Loaded(var m, var epoch) -> status(RunState.RESTORE_VM, epoch, Optional.of(m), true);
        };
    }

    private static Optional<VmStatus> status(RunState state, long epoch, Optional<String> migration, boolean incoming) {
        return Optional.of(
                new VmStatus(Pictures.vm(HandoffModel.VM, 64), state, epoch, migration, incoming, Optional.empty()));
    }

    private World connect(World world, int host, BeginSave begin) {
        for (int to = 0; to < HandoffModel.HOSTS.size(); to++) {
            if (copy(world, to).equals(new Incoming(begin.migration(), begin.epoch(), false))) {
                World connected = with(world, to, new Incoming(begin.migration(), begin.epoch(), true));
                return model.say(
                        with(connected, host, new Saving(begin.migration(), begin.epoch())),
                        new SaveStarted(begin.migration(), name(host)));
            }
        }
        return failed(world, host, begin.migration(), false, false);
    }

    private World surrender(World world, int host, String migration, long epoch) {
        return with(world, host, new Surrendered(migration, epoch, true));
    }

    /** All has arrived: the destination asks for the commit, and says that it is loaded. */
    private Optional<World> loads(World world, int from, String migration) {
        for (int to = 0; to < HandoffModel.HOSTS.size(); to++) {
            if (copy(world, to) instanceof Incoming(var theirs, var epoch, var streams)
                    && theirs.equals(migration)
                    && streams
                    && model.migration(world, migration) instanceof Asked asked) {
                World loaded = with(world, to, new Loaded(migration, epoch));
                World kept = model.keeps(Guard.SOURCE_KEEPS_ITS_COPY) ? loaded : with(loaded, from, new Nothing());
                return Optional.of(model.say(
                        model.ask(kept, Wish.COMMIT, asked), new IncomingLoaded(migration, name(to), epoch, true)));
            }
        }
        return Optional.empty();
    }

    private World runs(World world, String migration, int host, long epoch) {
        return model.say(with(world, host, new Running(epoch)), new VmRunning(migration, name(host), epoch, List.of()));
    }

    private World released(World world, int host, String migration) {
        return model.say(
                with(world, host, new Nothing()),
                new SourceReleased(migration, name(host), SaveStats.NONE, Downtime.NONE, List.of(), List.of()));
    }

    private World discarded(World world, int host, String migration) {
        return model.say(with(world, host, new Nothing()), new IncomingDiscarded(migration, name(host)));
    }

    private World refused(World world, int host, String migration, String command) {
        return model.say(world, new CommandRefused(migration, name(host), command, "r", 0));
    }

    private World failed(World world, int host, String migration, boolean cancelled, boolean surrendered) {
        return model.say(world, new SaveFailed(migration, name(host), "r", cancelled, surrendered, List.of()));
    }

    /** The agent and its guest are gone; a new agent knows nothing. Streams to and from it end. */
    private World crash(World world, int host) {
        Copy copy = copy(world, host);
        // loaded, it has asked for the commit, which may be granted to a host that is dead by then: the one loss beside
        // the
        // owner's own
        boolean counts = model.view(world).grants(name(host)) || copy instanceof Loaded;
        World after = with(world, host, new Nothing()).withCrash(counts);
        for (int other = 0; other < HandoffModel.HOSTS.size(); other++) {
            if (other != host
                    && copy(after, other) instanceof Incoming(var migration, var epoch, var streams)
                    && streams
                    && (copy instanceof Saving || copy instanceof Surrendered)) {
                after = with(after, other, new Incoming(migration, epoch, false));
            }
        }
        return after;
    }
}
