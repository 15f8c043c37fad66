package io.godwit.fleet;

import io.godwit.fleet.CoordinatorException.NotFound;
import io.godwit.fleet.CoordinatorException.Refused;
import io.godwit.plan.FirstFit;
import io.godwit.plan.Fleet;
import io.godwit.proto.fleet.FleetCommand;
import io.godwit.proto.fleet.FleetCommand.DeregisterVm;
import io.godwit.proto.fleet.FleetCommand.RegisterVm;
import io.godwit.proto.fleet.FleetReply;
import io.godwit.proto.fleet.FleetReply.FleetChanged;
import io.godwit.proto.fleet.FleetReply.FleetRefused;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostCommand.CreateVm;
import io.godwit.proto.host.HostCommand.DestroyVm;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.HostReply.HostRefused;
import io.godwit.proto.host.HostReply.VmChanged;
import io.godwit.proto.host.HostReply.VmChecked;
import io.godwit.proto.host.HostReply.VmDescribed;
import io.godwit.proto.host.HostReply.VmGone;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.lease.LeaseCommand.FenceVm;
import io.godwit.proto.lease.LeaseReply;
import io.godwit.proto.lease.LeaseReply.FenceHolds;
import io.godwit.proto.lease.LeaseReply.LeaseMayLast;
import io.godwit.proto.lease.LeaseReply.LeasesRenewed;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.FenceOwnership;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipCommand.ReleaseOwnership;
import io.godwit.proto.ownership.OwnershipCommand.RestartOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.japi.function.Function;

/**
 * Creates and destroys VMs: register, claim, create; and back in the reverse order when a step fails. A VM is created
 * only under a claim, so two creations of one name cannot both run.
 */
final class VmLifecycle {
    /** As in host names: it becomes part of ids, paths and metrics. */
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?");

    /** A VM's own convergence policy is to be one by which it can be moved, whatever else is asked for. */
    private static final MigrationOptions NO_OPTIONS = new MigrationOptions(0, false, 0, 0);

    private final CoordinatorPorts ports;
    private final CoordinatorSettings settings;
    private final Asking asking;

    VmLifecycle(CoordinatorPorts ports, CoordinatorSettings settings, Asking asking) {
        this.ports = ports;
        this.settings = settings;
        this.asking = asking;
    }

    CompletionStage<VmStatus> create(VmSpec spec, Optional<String> wanted) {
        if (!NAME.matcher(spec.name()).matches()) {
            return refuse("'" + spec.name() + "' is not a VM name: expected 1 to 63 of a-z, 0-9 and -, no - at an end");
        }
        if (spec.memoryBytes() <= 0) {
            return refuse(
                    "vm '" + spec.name() + "' has " + spec.memoryBytes() + " bytes of memory; expected more than 0");
        }
        Optional<String> fault = spec.convergence().isBlank()
                ? Optional.empty()
                : settings.policies().fault(spec, NO_OPTIONS);
        if (fault.isPresent()) {
            return refuse(fault.get());
        }
        return place(shown -> {
            if (shown.vms().stream().anyMatch(vm -> vm.spec().name().equals(spec.name()))) {
                return refuse("there is a vm '" + spec.name() + "' already");
            }
            Fleet fleet = Fleet.of(shown);
            if (wanted.isPresent() && !fleet.hosts().containsKey(wanted.get())) {
                return CompletableFuture.failedFuture(new NotFound("host", wanted.get()));
            }
            var placement = FirstFit.placeNew(fleet, spec, wanted);
            return placement
                    .to()
                    .map(host -> createOn(spec, host))
                    .orElseGet(() -> refuse(
                            "vm '" + spec.name() + "' " + placement.reason().orElse("fits nowhere")));
        });
    }

    private CompletionStage<VmStatus> createOn(VmSpec spec, String host) {
        return change(replyTo -> new RegisterVm(spec, replyTo))
                .thenCompose(_ -> undoOnFailure(
                        claim(spec.name(), host)
                                .thenCompose(claimed -> undoOnFailure(
                                        launch(spec, host, claimed.epoch()),
                                        () -> withdraw(spec.name(), host, claimed.epoch()))),
                        () -> change(replyTo -> new DeregisterVm(spec.name(), replyTo))));
    }

    private CompletionStage<OwnershipView> claim(String vm, String host) {
        return ledger(vm, replyTo -> new ClaimOwnership(vm, host, replyTo));
    }

    private CompletionStage<VmStatus> launch(VmSpec spec, String host, long epoch) {
        return tellHost(host, replyTo -> new CreateVm(spec, epoch, replyTo)).thenApply(reply -> switch (reply) {
            case VmChanged(var status) -> status;
            case HostRefused refused -> throw new Refused("host " + host + ": " + refused.reason());
            case VmGone _, VmChecked _, VmDescribed _ ->
                throw new Refused("host " + host + " gave the wrong answer: " + reply);
        });
    }

    /** Destroys what may have been created after all before the claim is let go: no host runs a VM nobody owns. */
    private CompletionStage<?> withdraw(String vm, String host, long epoch) {
        return tellHost(host, replyTo -> new DestroyVm(vm, epoch, replyTo))
                .thenCompose(_ -> ledger(vm, replyTo -> new ReleaseOwnership(vm, host, epoch, replyTo)));
    }

    /**
     * Takes a VM from {@code from}, which does not run it any more for certain: nobody owns it then, and it waits to be
     * started anew. Done before, it changes nothing.
     */
    CompletionStage<OwnershipView> fenceOff(String vm, String from, long epoch, String reason) {
        return ledger(vm, replyTo -> new FenceOwnership(vm, from, epoch, reason, replyTo));
    }

    /**
     * Starts a VM anew on {@code to} that waits for that since {@code epoch}. When the host refuses it waits again; when the
     * host does not answer, it is the host's.
     */
    CompletionStage<VmStatus> startAnew(VmSpec spec, long epoch, String to) {
        String vm = spec.name();
        return ledger(vm, replyTo -> new RestartOwnership(vm, to, epoch, replyTo))
                .thenCompose(claimed -> undoOn(
                        launch(spec, to, claimed.epoch()),
                        failure -> failure instanceof Refused
                                ? giveBack(vm, to, claimed.epoch(), String.valueOf(failure.getMessage()))
                                // the order may arrive yet: only a lease, or a person, can say that it will not be
                                // obeyed
                                : CompletableFuture.completedFuture(null)));
    }

    private CompletionStage<?> giveBack(String vm, String to, long epoch, String why) {
        return tellHost(to, replyTo -> new DestroyVm(vm, epoch, replyTo))
                .thenCompose(reply -> reply instanceof VmGone
                        ? fenceOff(vm, to, epoch, why)
                        : CompletableFuture.failedFuture(new Refused("host " + to + " did not let it go: " + reply)));
    }

    /**
     * Whether it is certain that {@code vm} runs nowhere under {@code epoch} or an older one; if not yet, for how long.
     *
     * @param atOnce no lease is to be lent any more, and whoever asks sees to the one that may last
     */
    CompletionStage<LeaseReply> fenceLease(String vm, long epoch, boolean atOnce) {
        return asking.ask(
                ports.leases(),
                replyTo -> new FenceVm(vm, epoch, atOnce, replyTo),
                settings.askTimeout(),
                "the lender of leases");
    }

    CompletionStage<Void> destroy(String vm) {
        return fleet().thenCompose(shown -> {
            VmView view = find(shown, vm);
            if (view.migration().isPresent() && !view.state().equals("LOST")) {
                return refuse("vm '" + vm + "' is being moved by migration "
                        + view.migration().get() + "; cancel that first");
            }
            return ownership(vm).thenCompose(owner -> destroyOwned(shown, vm, owner));
        });
    }

    private CompletionStage<Void> destroyOwned(FleetShown shown, String vm, OwnershipView owner) {
        if (owner.handoff().isPresent()) {
            return refuse("vm '" + vm + "' is being handed off by migration "
                    + owner.handoff().get().migration());
        }
        CompletionStage<?> released = owner.host()
                .<CompletionStage<?>>map(host -> stopOn(shown, vm, host, owner.epoch())
                        .thenCompose(
                                _ -> ledger(vm, replyTo -> new ReleaseOwnership(vm, host, owner.epoch(), replyTo))))
                .orElseGet(() -> owner.waiting().isPresent()
                        // it is not to be started anew any more
                        ? ledger(vm, replyTo -> new ReleaseOwnership(vm, "", owner.epoch(), replyTo))
                        : CompletableFuture.completedFuture(null));
        return released.thenCompose(_ -> change(replyTo -> new DeregisterVm(vm, replyTo)))
                .thenApply(_ -> null);
    }

    /** A host that is out of sight may run it on behind a cut, and a VM of its name elsewhere would be the second. */
    private CompletionStage<?> stopOn(FleetShown shown, String vm, String host, long epoch) {
        boolean down = shown.hosts().stream()
                .anyMatch(known -> known.host().equals(host) && known.state().equals("DOWN"));
        if (down) {
            VmSpec spec = find(shown, vm).spec();
            return spec.restarts() && !spec.outlivesAgent()
                    ? fenceLease(vm, epoch, false).thenCompose(reply -> switch (reply) {
                        case FenceHolds _ -> CompletableFuture.completedFuture(null);
                        case LeaseMayLast(var _, var waitMs) ->
                            refuse("vm '" + vm + "' may still run on host " + host + ", which is out of sight, for "
                                    + (waitMs + 999) / 1000 + " s");
                        case LeasesRenewed wrong ->
                            CompletableFuture.failedFuture(
                                    new IllegalStateException("the lender of leases answered " + wrong));
                    })
                    : refuse("vm '" + vm + "' may still run on host " + host
                            + ", which is out of sight: destroy it when the host is back, or after 'host fence " + host
                            + " --confirmed-down'");
        }
        return tellHost(host, replyTo -> new DestroyVm(vm, epoch, replyTo)).thenApply(reply -> switch (reply) {
            case VmGone gone -> gone;
            case VmChanged changed -> changed;
            case HostRefused refused -> throw new Refused("host " + host + ": " + refused.reason());
            case VmChecked _, VmDescribed _ -> throw new Refused("host " + host + " gave the wrong answer: " + reply);
        });
    }

    /** The VM as the fleet shows it; throws NotFound. */
    static VmView find(FleetShown shown, String vm) {
        return shown.vms().stream()
                .filter(view -> view.spec().name().equals(vm))
                .findFirst()
                .orElseThrow(() -> new NotFound("vm", vm));
    }

    /** A VM as the fleet shows it and as the ledger has it. */
    record Settled(FleetShown fleet, VmView vm, OwnershipView owner) {
        /** Whether no report is on its way that will say something else: of a creation or of a move that has just ended. */
        boolean said() {
            return !vm.state().equals(RunState.PRELAUNCH.name())
                    && vm.migration().isEmpty()
                    && vm.host().equals(owner.host());
        }
    }

    /**
     * The VM once its host has reported what the ledger says, or after a moment as it is: so that whoever has created or
     * moved a VM can move it at once. Throws NotFound.
     */
    CompletionStage<Settled> settled(String vm) {
        return asking.settled(
                () -> fleet().thenCompose(shown -> {
                    VmView view = find(shown, vm);
                    return ownership(vm).thenApply(owner -> new Settled(shown, view, owner));
                }),
                Settled::said,
                settings.agentPatience(),
                settings.agentInterval());
    }

    /** What {@code choice} makes of the fleet, which may take a while if it is a large one: in no actor's thread. */
    <A> CompletionStage<A> place(java.util.function.Function<FleetShown, CompletionStage<A>> choice) {
        return fleet().thenComposeAsync(choice, ports.planning());
    }

    CompletionStage<FleetShown> fleet() {
        return asking.<FleetCommand, FleetReply>askAgain(
                        ports.fleet(),
                        FleetCommand.ShowFleet::new,
                        settings.askTimeout(),
                        settings.askAgain(),
                        "the fleet view")
                .thenApply(reply -> switch (reply) {
                    case FleetShown shown -> shown;
                    case FleetRefused(var reason) -> throw new Refused(reason);
                    case FleetChanged _ -> throw new Refused("the fleet view gave the wrong answer");
                });
    }

    CompletionStage<Void> change(Function<ActorRef<FleetReply>, FleetCommand> command) {
        return this.<FleetReply>askFleet(command).thenApply(reply -> switch (reply) {
            case FleetChanged _, FleetShown _ -> null;
            case FleetRefused(var reason) -> throw new Refused(reason);
        });
    }

    CompletionStage<OwnershipView> ownership(String vm) {
        return asking.<OwnershipCommand, OwnershipReply>askAgain(
                        ports.ledgers().apply(vm),
                        replyTo -> new QueryOwnership(vm, replyTo),
                        settings.askTimeout(),
                        settings.askAgain(),
                        ledgerOf(vm))
                .thenApply(VmLifecycle::accepted);
    }

    CompletionStage<HostReply> tellHost(String host, Function<ActorRef<HostReply>, HostCommand> command) {
        return asking.agent(host, settings.askTimeout(), settings.agentPatience(), settings.agentInterval())
                .thenCompose(agent -> asking.ask(agent, command, settings.hostTimeout(), "host " + host));
    }

    private CompletionStage<OwnershipView> ledger(
            String vm, Function<ActorRef<OwnershipReply>, OwnershipCommand> command) {
        return asking.<OwnershipCommand, OwnershipReply>ask(
                        ports.ledgers().apply(vm), command, settings.askTimeout(), ledgerOf(vm))
                .thenApply(VmLifecycle::accepted);
    }

    private static String ledgerOf(String vm) {
        return "the ledger of vm '" + vm + "'";
    }

    private static OwnershipView accepted(OwnershipReply reply) {
        return switch (reply) {
            case OwnershipAccepted(var view) -> view;
            case OwnershipRefused refused -> throw new Refused(refused.reason());
        };
    }

    private <A> CompletionStage<A> askFleet(Function<ActorRef<A>, FleetCommand> command) {
        return asking.ask(ports.fleet(), command, settings.askTimeout(), "the fleet view");
    }

    private static <A> CompletionStage<A> undoOnFailure(
            CompletionStage<A> step, java.util.function.Supplier<CompletionStage<?>> undo) {
        return undoOn(step, _ -> undo.get());
    }

    /** {@code undo} is told what failed. */
    private static <A> CompletionStage<A> undoOn(
            CompletionStage<A> step, java.util.function.Function<Throwable, CompletionStage<?>> undo) {
        return step.exceptionallyCompose(failure -> {
            Throwable cause =
                    failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
            return undo.apply(cause).handle((_, _) -> {
                throw failure instanceof CompletionException wrapped ? wrapped : new CompletionException(failure);
            });
        });
    }

    private static <A> CompletionStage<A> refuse(String reason) {
        return CompletableFuture.failedFuture(new Refused(reason));
    }
}
