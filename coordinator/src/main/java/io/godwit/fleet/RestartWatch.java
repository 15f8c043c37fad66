package io.godwit.fleet;

import io.godwit.plan.FirstFit;
import io.godwit.plan.Fleet;
import io.godwit.plan.Placement;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.fleet.FleetCommand.NoteVms;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.HostCommand.DestroyVm;
import io.godwit.proto.host.HostReply.VmGone;
import io.godwit.proto.lease.LeaseReply.FenceHolds;
import io.godwit.proto.lease.LeaseReply.LeaseMayLast;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.VmSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.stream.Collectors;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Starts VMs anew that nobody runs any more: a cluster singleton that looks now and then at what is out of sight. Of a VM whose
 * policy is {@code restart} it asks the lender of leases whether it is certain that it runs nowhere, or the agent, if that is
 * back without it; then the ledger takes it
 * from its host. Whatever the ledger says is waiting, for whatever reason it was fenced off, is started on a host that has room,
 * again and again until one does. Nothing is durable here but through them: a successor sees the same and goes on.
 */
final class RestartWatch {
    /** What it hears. */
    sealed interface Command {}

    private record Look() implements Command {}

    private record Seen(FleetShown fleet) implements Command {}

    private record Done(List<Outcome> outcomes) implements Command {}

    private record Failed(String why) implements Command {}

    /**
     * What was done about one VM.
     *
     * @param note why it does not run yet; empty when it does, or nothing is to be done about it
     * @param started whether it was started just now
     * @param failed whether an attempt to start it failed
     * @param on the host that it failed on, if there was one
     * @param owned what an owner has it under that was not known here; 0 if nothing is new
     */
    private record Outcome(
            String vm, Optional<String> note, boolean started, boolean failed, Optional<String> on, long owned) {
        static Outcome nothing(String vm) {
            return new Outcome(vm, Optional.empty(), false, false, Optional.empty(), 0);
        }

        static Outcome runs(String vm) {
            return new Outcome(vm, Optional.empty(), true, false, Optional.empty(), 0);
        }

        static Outcome waits(String vm, String note) {
            return new Outcome(vm, Optional.of(note), false, false, Optional.empty(), 0);
        }

        static Outcome owned(String vm, String note, long epoch) {
            return new Outcome(vm, Optional.of(note), false, false, Optional.empty(), epoch);
        }

        static Outcome failed(String vm, String note, Optional<String> on) {
            return new Outcome(vm, Optional.of(note), false, true, on, 0);
        }
    }

    private static final Set<String> OUT_OF_SIGHT = Set.of("LOST", "UNKNOWN", "MISSING");

    private final ActorContext<Command> context;
    private final CoordinatorPorts ports;
    private final CoordinatorSettings settings;
    private final VmLifecycle vms;
    private final MonotonicClock clock;
    private Map<String, RestartAttempt> attempts = Map.of();

    private RestartWatch(
            ActorContext<Command> context, CoordinatorPorts ports, CoordinatorSettings settings, MonotonicClock clock) {
        this.context = context;
        this.ports = ports;
        this.settings = settings;
        this.clock = clock;
        this.vms = new VmLifecycle(ports, settings, new Asking(ports.system()));
    }

    /** The singleton's behaviour. */
    static Behavior<Command> create(CoordinatorPorts ports, CoordinatorSettings settings, MonotonicClock clock) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(new Look(), settings.restartInterval());
            return new RestartWatch(context, ports, settings, clock).waiting();
        }));
    }

    /** For the next look. */
    private Behavior<Command> waiting() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Look() -> {
                context.pipeToSelf(
                        vms.fleet(),
                        (fleet, failure) -> failure == null ? new Seen(fleet) : new Failed(failure.toString()));
                yield looking();
            }
            case Seen _, Done _, Failed _ -> Behaviors.unhandled();
        });
    }

    /** One VM after the other: each takes room that the next one cannot have. Looks that fall into this are left out. */
    private Behavior<Command> looking() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Seen(var fleet) -> {
                List<VmView> gone = outOfSight(fleet);
                CompletionStage<List<Outcome>> all = CompletableFuture.completedFuture(List.of());
                for (VmView vm : gone) {
                    RestartAttempt attempt =
                            attempts.getOrDefault(vm.spec().name(), RestartAttempt.first(clock.nanoTime()));
                    all = all.thenCompose(before -> about(fleet, vm, attempt)
                            .exceptionally(failure -> Outcome.waits(vm.spec().name(), reason(failure)))
                            .thenApply(outcome -> plus(before, outcome)));
                }
                context.pipeToSelf(
                        all,
                        (outcomes, failure) -> failure == null ? new Done(outcomes) : new Failed(failure.toString()));
                yield Behaviors.same();
            }
            case Done(var outcomes) -> {
                outcomes.forEach(this::remember);
                ports.fleet()
                        .tell(new NoteVms(outcomes.stream()
                                .filter(outcome -> outcome.note().isPresent())
                                .collect(Collectors.toMap(
                                        Outcome::vm, outcome -> outcome.note().orElseThrow()))));
                yield waiting();
            }
            case Failed(var why) -> {
                // seen again at the next look
                context.getLog().debug("restarts: {}", why);
                yield waiting();
            }
            case Look() -> Behaviors.same();
        });
    }

    private List<VmView> outOfSight(FleetShown fleet) {
        List<VmView> gone = fleet.vms().stream()
                .filter(vm -> OUT_OF_SIGHT.contains(vm.state()))
                .toList();
        Map<String, RestartAttempt> kept = new HashMap<>();
        for (VmView vm : gone) {
            String name = vm.spec().name();
            kept.put(name, attempts.getOrDefault(name, RestartAttempt.first(clock.nanoTime())));
        }
        attempts = Map.copyOf(kept);
        return gone;
    }

    private CompletionStage<Outcome> about(FleetShown fleet, VmView vm, RestartAttempt attempt) {
        return vms.ownership(vm.spec().name()).thenCompose(owner -> about(fleet, vm, attempt, owner));
    }

    private CompletionStage<Outcome> about(FleetShown fleet, VmView vm, RestartAttempt attempt, OwnershipView owner) {
        String name = vm.spec().name();
        if (owner.waiting().isPresent()) {
            return attempt.due(clock.nanoTime())
                    ? start(vm.spec(), attempt, owner)
                    : CompletableFuture.completedFuture(Outcome.waits(name, attempt.note()));
        }
        if (owner.host().isEmpty() || !vm.spec().restarts()) {
            return CompletableFuture.completedFuture(Outcome.nothing(name));
        }
        String host = owner.host().get();
        if (owner.handoff().isPresent()) {
            return CompletableFuture.completedFuture(Outcome.waits(
                    name,
                    "it is started anew when the handoff of migration "
                            + owner.handoff().get().migration() + " is settled"));
        }
        if (vm.spec().outlivesAgent()) {
            return CompletableFuture.completedFuture(Outcome.waits(
                    name,
                    "its policy is restart, but its QEMU may run on though nobody reaches its agent: it is started anew only"
                            + " after 'host fence " + host + " --confirmed-down'"));
        }
        String inAMoment = "its policy is restart: its lease is looked at in a moment";
        if (attempt.epoch() != owner.epoch()) {
            return CompletableFuture.completedFuture(Outcome.owned(name, inAMoment, owner.epoch()));
        }
        Duration elapsed = Duration.ofNanos(clock.nanoTime() - attempt.sinceNanos());
        if (elapsed.compareTo(settings.restartAfter()) < 0) {
            return CompletableFuture.completedFuture(Outcome.waits(name, inAMoment));
        }
        if (saysThatItIsNotThere(fleet, host, name)) {
            return vm.state().equals("LOST") || elapsed.compareTo(creation()) >= 0
                    ? takenAtItsWord(vm.spec(), host, attempt, owner)
                    : CompletableFuture.completedFuture(
                            Outcome.waits(name, "host " + host + " may have yet to be told to create it"));
        }
        return vms.fenceLease(name, owner.epoch(), false).thenCompose(reply -> switch (reply) {
            case LeaseMayLast(var _, var waitMs) ->
                CompletableFuture.completedFuture(Outcome.waits(
                        name,
                        "its policy is restart: it is started anew when the lease of host " + host
                                + " has run out for certain, in " + (waitMs + 999) / 1000 + " s unless it is renewed"));
            case FenceHolds _ ->
                vms.fenceOff(name, host, owner.epoch(), "the lease of host " + host + " ran out")
                        .thenCompose(now -> start(vm.spec(), attempt, now));
            case LeasesRenewed wrong ->
                CompletableFuture.failedFuture(new IllegalStateException("the lender of leases answered " + wrong));
        });
    }

    /** As long as whoever creates a VM may wait for its host, which reports without it all that time. */
    private Duration creation() {
        return settings.agentPatience().plus(settings.hostTimeout());
    }

    /** Its agent is there, and reports without it: it was started anew, and the guest died with the one before. */
    private static boolean saysThatItIsNotThere(FleetShown fleet, String host, String vm) {
        return fleet.hosts().stream()
                .filter(known -> known.host().equals(host) && known.state().equals("UP"))
                .flatMap(known -> known.inventory().stream())
                .anyMatch(inventory -> inventory.vms().stream()
                        .noneMatch(copy -> copy.spec().name().equals(vm)));
    }

    /**
     * First no lease is lent any more, then the agent is asked: what it may be told to create later, by an order that is late,
     * never runs.
     */
    private CompletionStage<Outcome> takenAtItsWord(
            VmSpec spec, String host, RestartAttempt attempt, OwnershipView owner) {
        String name = spec.name();
        return vms.fenceLease(name, owner.epoch(), true)
                .thenCompose(_ -> vms.tellHost(host, replyTo -> new DestroyVm(name, owner.epoch(), replyTo)))
                .thenCompose(reply -> reply instanceof VmGone
                        ? vms.fenceOff(
                                        name,
                                        host,
                                        owner.epoch(),
                                        "host " + host + "'s agent is back and does not run it")
                                .thenCompose(now -> start(spec, attempt, now))
                        : CompletableFuture.completedFuture(
                                Outcome.waits(name, "host " + host + " does not let it go: " + reply)));
    }

    private CompletionStage<Outcome> start(VmSpec spec, RestartAttempt attempt, OwnershipView owner) {
        String name = spec.name();
        return vms.place(shown -> {
            Fleet fleet = Fleet.of(shown);
            Placement placement = FirstFit.placeNew(without(fleet, attempt.shunned()), spec, Optional.empty());
            if (placement.to().isEmpty()) {
                // of all hosts, those that have refused it as well
                String why = FirstFit.placeNew(fleet, spec, Optional.empty())
                        .reason()
                        .orElse(attempt.note());
                return CompletableFuture.completedFuture(Outcome.failed(name, waiting(owner, why), Optional.empty()));
            }
            String to = placement.to().get();
            return vms.startAnew(spec, owner.epoch(), to)
                    .thenApply(_ -> {
                        context.getSystem().log().warn("vm {}: started anew on host {}", name, to);
                        return Outcome.runs(name);
                    })
                    .exceptionally(failure -> Outcome.failed(name, waiting(owner, reason(failure)), Optional.of(to)));
        });
    }

    private static String waiting(OwnershipView owner, String why) {
        return "nobody runs it (" + owner.waiting().orElse("it was fenced off") + "), and it is started anew as soon as"
                + " possible: " + why;
    }

    private static Fleet without(Fleet fleet, Set<String> shunned) {
        return new Fleet(
                fleet.hosts().entrySet().stream()
                        .filter(host -> !shunned.contains(host.getKey()))
                        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue)),
                fleet.vms());
    }

    private void remember(Outcome outcome) {
        Map<String, RestartAttempt> changed = new HashMap<>(attempts);
        if (outcome.started()) {
            // its first report is on its way: what comes after that is another loss
            changed.remove(outcome.vm());
        }
        if (outcome.owned() > 0) {
            changed.computeIfPresent(outcome.vm(), (_, before) -> before.under(outcome.owned(), clock.nanoTime()));
        }
        if (!outcome.failed()) {
            attempts = Map.copyOf(changed);
            return;
        }
        changed.computeIfPresent(
                outcome.vm(),
                (_, before) -> before.failed(
                        outcome.on(),
                        outcome.note().orElse(""),
                        clock.nanoTime(),
                        settings.restartRetryMin(),
                        settings.restartRetryMax()));
        attempts = Map.copyOf(changed);
    }

    private static List<Outcome> plus(List<Outcome> before, Outcome outcome) {
        List<Outcome> all = new ArrayList<>(before);
        all.add(outcome);
        return all;
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return String.valueOf(cause.getMessage());
    }
}
