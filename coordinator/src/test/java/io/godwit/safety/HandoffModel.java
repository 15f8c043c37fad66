package io.godwit.safety;

import io.godwit.evacuation.MigrationDuties;
import io.godwit.evacuation.MigrationEvent;
import io.godwit.evacuation.MigrationEvent.HandoffAborted;
import io.godwit.evacuation.MigrationEvent.MigrationRequested;
import io.godwit.evacuation.MigrationEvent.RollbackBegan;
import io.godwit.evacuation.MigrationLog;
import io.godwit.evacuation.MigrationRules;
import io.godwit.evacuation.MigrationState;
import io.godwit.evacuation.MigrationState.Aborting;
import io.godwit.evacuation.MigrationState.Asked;
import io.godwit.evacuation.MigrationState.Committing;
import io.godwit.evacuation.MigrationState.Ended;
import io.godwit.evacuation.MigrationState.GoingBack;
import io.godwit.evacuation.MigrationState.Opening;
import io.godwit.evacuation.MigrationState.Preparing;
import io.godwit.evacuation.MigrationState.Saving;
import io.godwit.evacuation.MigrationState.Switching;
import io.godwit.evacuation.MigrationState.Unasked;
import io.godwit.ownership.OwnershipEvent;
import io.godwit.ownership.OwnershipRules;
import io.godwit.ownership.OwnershipState;
import io.godwit.ownership.OwnershipState.HandingOff;
import io.godwit.ownership.OwnershipState.Held;
import io.godwit.ownership.OwnershipState.Settled;
import io.godwit.plan.Pictures;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.MigrationReport.CommandRefused;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.VmSpec;
import io.godwit.safety.Word.FromLedger;
import io.godwit.safety.Word.ToHost;
import io.godwit.safety.Word.ToLedger;
import io.godwit.safety.Word.ToMigration;
import io.godwit.safety.Word.Wish;
import io.godwit.safety.World.Interned;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * One VM, three hosts, two migrations one after the other, the ledger, and a network that loses, doubles and reorders
 * everything: what was sent once may arrive at any time, any number of times, or never. The ledger and the migrations are
 * the real rules ({@link OwnershipRules}, {@link MigrationRules}, {@link MigrationDuties}); hosts are what {@link Agents}
 * says. A migration's coordinator that dies loses nothing but what it wanted to send, so its crash needs no step of its own:
 * a word that is never delivered is the same. It gives up at any moment, and takes any host for gone at any moment,
 * rightly or not.
 */
final class HandoffModel {
    static final List<String> HOSTS = List.of("a", "b", "c");
    static final String VM = "vm-1";
    private static final VmSpec SPEC = Pictures.vm(VM, 64);
    private static final MigrationOptions OPTIONS = new MigrationOptions(300, true, 0, 20_000);
    static final DataEndpoint ENDPOINT = new DataEndpoint("there", 1);

    final Interned<OwnershipState> ledgers = new Interned<>();
    final Interned<MigrationState> migrations = new Interned<>();
    final Interned<Copy> copies = new Interned<>();
    final Interned<Word> words = new Interned<>();
    private final Set<Guard> guards;
    private final Bounds bounds;
    private final ActorRef<OwnershipReply> nobody;
    private final ActorRef<HostReply> hostsNobody;
    private final Agents agents;

    /**
     * What may happen at all: without bounds there is no end to two migrations.
     *
     * @param twice whether a second migration may follow the first
     * @param crashes agents that may be killed
     * @param failovers ledgers that may be cut off. One whose writes are refused says nothing that was not said before,
     *     so without a missing guard it adds nothing
     * @param wrongVerdicts whether a host may be taken for gone that is not
     * @param lostStreams whether streams may break by themselves
     */
    record Bounds(boolean twice, int crashes, int failovers, boolean wrongVerdicts, boolean lostStreams) {}

    /**
     * @param guards those that are kept
     * @param bounds what may happen at all
     */
    HandoffModel(Set<Guard> guards, Bounds bounds, ActorRef<OwnershipReply> nobody, ActorRef<HostReply> hostsNobody) {
        this.guards = Set.copyOf(guards);
        this.bounds = bounds;
        this.nobody = nobody;
        this.hostsNobody = hostsNobody;
        this.agents = new Agents(this);
    }

    boolean keeps(Guard guard) {
        return guards.contains(guard);
    }

    /** The VM runs on a under epoch 1 and is to move to b. */
    World begin() {
        OwnershipState ledger = new Held(VM, "a", 1, Optional.empty());
        World world = new World(
                ledgers.of(ledger),
                -1,
                migrations.of(new Unasked("m1")),
                -1,
                copies.of(new Copy.Running(1)),
                copies.of(new Copy.Nothing()),
                copies.of(new Copy.Nothing()),
                0,
                0,
                bounds.crashes(),
                bounds.failovers(),
                false);
        return publish(request(world, true, "a", "b", 1), ledger, false);
    }

    /** Every world that one step leads to, with what the step is. */
    void steps(World world, BiConsumer<String, World> next) {
        for (int i = 0; i < words.size(); i++) {
            if (world.heard(i)) {
                deliver(world, i, next);
            }
        }
        agents.steps(world, next);
        timeouts(world, next);
        if (world.failovers() > 0) {
            next.accept("the ledger is cut off", world.withCutOff(world.journal(), world.failovers() - 1));
        }
        askAgain(world).ifPresent(asked -> next.accept("the second migration is asked for", asked));
    }

    /** One word arrives. */
    void deliver(World world, int number, BiConsumer<String, World> next) {
        Word word = words.get(number);
        switch (word) {
            case ToHost(var host, var command) ->
                agents.hear(world, HOSTS.indexOf(host), command)
                        .ifPresent(after -> next.accept(
                                host + " is told " + command.getClass().getSimpleName(), after));
            case ToMigration(var report) -> {
                MigrationState state = migration(world, report.migration());
                if (state instanceof Asked asked) {
                    List<MigrationEvent> events = report instanceof CommandRefused refused
                            ? MigrationRules.onRefused(asked, refused, true)
                            : MigrationRules.onReport(asked, report);
                    hears(
                            world,
                            asked,
                            events,
                            report.migration() + " hears " + report.getClass().getSimpleName() + " from "
                                    + report.host(),
                            next);
                }
            }
            case FromLedger(var view, var refused) -> {
                OwnershipReply reply = refused ? new OwnershipRefused("refused", view) : new OwnershipAccepted(view);
                for (int number2 : new int[] {world.first(), world.second()}) {
                    if (number2 >= 0 && migrations.get(number2) instanceof Asked asked) {
                        hears(
                                world,
                                asked,
                                MigrationRules.onLedger(asked, reply),
                                asked.job().id() + " hears of the ledger " + brief(view),
                                next);
                    }
                }
                agents.hearLedger(world, view, next);
            }
            case ToLedger asked -> ledger(world, asked, next);
        }
    }

    /** What agents do by themselves. */
    void agentSteps(World world, BiConsumer<String, World> next) {
        agents.steps(world, next);
    }

    /** Hosts repeat their last word, and the ledger answers whoever asks. */
    World repeated(World world) {
        return agents.repeated(publish(world, ledgers.get(world.journal()), false));
    }

    /** What happens without a word: deadlines, people, verdicts about hosts. */
    void timeouts(World world, BiConsumer<String, World> next) {
        OwnershipState ledger = ledgers.get(world.journal());
        if (ledger instanceof HandingOff open) {
            OwnershipRules.expire(ledger, open.handoff().migration())
                    .ifPresent(event -> next.accept("the handoff's deadline passes", decided(world, ledger, event)));
        }
        for (int number : new int[] {world.first(), world.second()}) {
            if (number >= 0 && migrations.get(number) instanceof Asked asked) {
                moved(world, asked, giveUp(asked))
                        .ifPresent(after -> next.accept(asked.job().id() + " gives up", after));
                for (String host : goneFor(world, asked)) {
                    moved(world, asked, MigrationRules.onHostGone(asked, host))
                            .ifPresent(after -> next.accept(asked.job().id() + " takes " + host + " for gone", after));
                }
            }
        }
        agents.clearLeftovers(world, next);
    }

    /** Hosts of which the migration may think that they are gone: any, or those whose agents have nothing. */
    private List<String> goneFor(World world, Asked asked) {
        return List.of(asked.job().from(), asked.job().to()).stream()
                .filter(host ->
                        bounds.wrongVerdicts() || copies.get(world.copy(HOSTS.indexOf(host))) instanceof Copy.Nothing)
                .toList();
    }

    /** Whether streams break, beside those that end with a copy. */
    boolean streamsBreak() {
        return bounds.lostStreams();
    }

    /** A view in a few words. */
    static String brief(OwnershipView view) {
        return view.host().orElse("nobody") + " holds epoch " + view.epoch()
                + view.handoff().map(open -> ", handoff by " + open.migration()).orElse("");
    }

    private static List<MigrationEvent> giveUp(Asked asked) {
        return asked instanceof Preparing
                        || asked instanceof Saving
                        || asked instanceof Opening
                        || asked instanceof Switching
                        || asked instanceof Committing
                ? List.of(new RollbackBegan("r", false, Optional.empty()))
                : List.of();
    }

    private void ledger(World world, ToLedger asked, BiConsumer<String, World> next) {
        OwnershipState current = ledgers.get(world.journal());
        String told = "the ledger hears " + asked;
        Optional<OwnershipState> after = decide(current, asked);
        if (after.isEmpty()) {
            next.accept(told, publish(world, current, true));
        } else if (!after.get().equals(current)) {
            next.accept(told, publish(world.withJournal(ledgers.of(after.get())), after.get(), false));
            if (!keeps(Guard.DURABLE_BEFORE_ANSWERED)) {
                next.accept(told + ", answers, and forgets it", publish(world, after.get(), false));
            }
        }
        if (world.cutOff() >= 0 && !keeps(Guard.ONE_WRITER)) {
            OwnershipState believed = ledgers.get(world.cutOff());
            decide(believed, asked)
                    .filter(then -> !then.equals(believed))
                    .ifPresent(then -> next.accept(
                            "the cut-off ledger hears " + asked,
                            publish(world.withCutOff(ledgers.of(then), world.failovers()), then, false)));
        }
    }

    /** The ledger after the wish, the same if it was done before; empty when it refuses. */
    private Optional<OwnershipState> decide(OwnershipState state, ToLedger asked) {
        if (!keeps(Guard.ABORT_EXCLUDES_COMMIT)
                && asked.wish() == Wish.COMMIT
                && state.settled().equals(Optional.of(new Settled(asked.migration(), false)))) {
            return Optional.of(
                    new Held(VM, asked.to(), state.epoch() + 1, Optional.of(new Settled(asked.migration(), true))));
        }
        OwnershipRules.Decision decision = OwnershipRules.decide(state, command(asked));
        if (decision.refusal().isPresent()) {
            return Optional.empty();
        }
        return Optional.of(decision.event().map(event -> after(state, event)).orElse(state));
    }

    private OwnershipState after(OwnershipState state, OwnershipEvent event) {
        OwnershipState after = state.apply(event);
        return event instanceof OwnershipEvent.LedgerAborted && !keeps(Guard.ABORT_MOVES_THE_EPOCH)
                ? new Held(VM, after.owner().orElseThrow(), state.epoch(), after.settled())
                : after;
    }

    private World decided(World world, OwnershipState before, OwnershipEvent event) {
        OwnershipState after = after(before, event);
        return publish(world.withJournal(ledgers.of(after)), after, false);
    }

    private OwnershipCommand command(ToLedger asked) {
        return switch (asked.wish()) {
            case BEGIN ->
                new BeginHandoff(VM, asked.migration(), asked.from(), asked.to(), asked.epoch(), 20_000, nobody);
            case COMMIT -> new CommitHandoff(VM, asked.migration(), asked.epoch(), nobody);
            case ABORT -> new AbortHandoff(VM, asked.migration(), asked.epoch(), "r", nobody);
        };
    }

    private World publish(World world, OwnershipState ledger, boolean refused) {
        return world.saying(word(new FromLedger(ledger.view(), refused)));
    }

    int word(Word word) {
        int number = words.of(word);
        if (number > 127) {
            throw new IllegalStateException("too many different words for a World: " + word);
        }
        return number;
    }

    World say(World world, MigrationReport report) {
        return world.saying(word(new ToMigration(report)));
    }

    World ask(World world, Wish wish, Asked migration) {
        return world.saying(word(new ToLedger(
                wish,
                migration.job().id(),
                migration.job().from(),
                migration.job().to(),
                migration.job().epoch())));
    }

    MigrationState migration(World world, String id) {
        if (id.equals("m1")) {
            return migrations.get(world.first());
        }
        return world.second() < 0 ? new Unasked(id) : migrations.get(world.second());
    }

    /** The next migration may begin when the VM is known to be settled: the first has ended, or may be tried again. */
    private Optional<World> askAgain(World world) {
        if (!bounds.twice() || world.second() >= 0 || !(ledgers.get(world.journal()) instanceof Held held)) {
            return Optional.empty();
        }
        MigrationState first = migrations.get(world.first());
        boolean retryable = first instanceof GoingBack back
                && back.sourceDone()
                && !back.trail().sourceGone();
        if (!(first instanceof Ended) && !retryable) {
            return Optional.empty();
        }
        return Optional.of(request(world, false, held.host(), held.host().equals("a") ? "c" : "a", held.epoch()));
    }

    private World request(World world, boolean isFirst, String from, String to, long epoch) {
        String id = isFirst ? "m1" : "m2";
        MigrationState asked = MigrationLog.apply(
                new Unasked(id),
                new MigrationRequested(SPEC, from, to, epoch, OPTIONS, Optional.empty(), "", SaveLimits.NONE));
        return carriedOut(world.withMigration(isFirst, migrations.of(asked)), asked);
    }

    /** {@code events} become durable; or what may be told ahead is told, and the coordinator dies before they are. */
    private void hears(
            World world, Asked asked, List<MigrationEvent> events, String step, BiConsumer<String, World> next) {
        moved(world, asked, events).ifPresent(after -> next.accept(step, after));
        if (events.size() == 1) {
            MigrationState then = MigrationLog.apply(asked, events.getFirst());
            if (MigrationDuties.mayGoAhead(asked, then)) {
                next.accept(step + ", says so, and forgets it", carriedOut(world, plain(then)));
            }
        }
    }

    /** The world after {@code events} of {@code asked} are durable; empty when there are none. */
    private Optional<World> moved(World world, Asked asked, List<MigrationEvent> events) {
        if (events.isEmpty()) {
            return Optional.empty();
        }
        MigrationState now = asked;
        for (MigrationEvent event : events) {
            now = plain(MigrationLog.apply(now, event));
        }
        if (now instanceof Aborting aborting && !keeps(Guard.ABORTS_THROUGH_THE_LEDGER)) {
            now = plain(MigrationLog.apply(
                    aborting, new HandoffAborted(aborting.job().epoch() + 1)));
        }
        return Optional.of(carriedOut(world.withMigration(asked.job().id().equals("m1"), migrations.of(now)), now));
    }

    /** Reasons do not matter here, and would make states different that are not. */
    private static MigrationState plain(MigrationState state) {
        return switch (state) {
            case Aborting a -> new Aborting(a.job(), a.trail(), "r", false);
            case GoingBack g ->
                new GoingBack(g.job(), g.trail(), "r", false, g.runEpoch(), g.sourceDone(), g.destinationDone());
            case Ended e -> new Ended(e.job(), e.trail(), e.phase(), e.reason().map(_ -> "r"), e.epoch());
            case Unasked _,
                    Preparing _,
                    Saving _,
                    Opening _,
                    Switching _,
                    Committing _,
                    MigrationState.Resuming _,
                    MigrationState.Releasing _ -> state;
        };
    }

    /** Sends what the state obliges the migration to. */
    World carriedOut(World world, MigrationState state) {
        World told = world;
        for (MigrationDuties.Order order : MigrationDuties.orders(state)) {
            told = told.saying(word(new ToHost(order.host(), order.command())));
        }
        Optional<MigrationDuties.Order> reminder = MigrationDuties.reminder(state);
        if (reminder.isPresent()) {
            told = told.saying(
                    word(new ToHost(reminder.get().host(), reminder.get().command())));
        }
        return switch (state) {
            case Opening opening -> ask(told, Wish.BEGIN, opening);
            case Committing committing -> ask(told, Wish.COMMIT, committing);
            case Aborting aborting -> ask(told, Wish.ABORT, aborting);
            case Unasked _,
                    Preparing _,
                    Saving _,
                    Switching _,
                    MigrationState.Resuming _,
                    MigrationState.Releasing _,
                    GoingBack _,
                    Ended _ -> told;
        };
    }

    ActorRef<HostReply> hostsSpeakToNobody() {
        return hostsNobody;
    }

    OwnershipView view(World world) {
        return ledgers.get(world.journal()).view();
    }
}
