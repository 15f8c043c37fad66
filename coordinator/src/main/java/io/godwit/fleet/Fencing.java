package io.godwit.fleet;

import io.godwit.fleet.CoordinatorException.NotFound;
import io.godwit.fleet.CoordinatorException.Refused;
import io.godwit.plan.FirstFit;
import io.godwit.plan.Fleet;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.ownership.OwnershipView;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/**
 * Restarts the VMs of a host from their specs elsewhere, on a person's word that the host is off, and on nothing less: the
 * death of an agent, as the cluster sees it, may be a cut, and its guests run on behind it. The ledger takes each VM from the
 * host and gives it to another under a higher epoch before that one is told to run it, so that whatever the old host still
 * had is refused everywhere, and destroyed should it come back. A VM that cannot be started at once waits, whatever its
 * policy, and {@link RestartWatch} tries on.
 */
final class Fencing {
    private final VmLifecycle vms;

    Fencing(VmLifecycle vms) {
        this.vms = vms;
    }

    /** One VM after the other: each takes room that the next one cannot have. */
    CompletionStage<Fenced> fence(String host) {
        return vms.fleet().thenCompose(shown -> {
            HostView view = shown.hosts().stream()
                    .filter(known -> known.host().equals(host))
                    .findFirst()
                    .orElseThrow(() -> new NotFound("host", host));
            if (!view.state().equals("DOWN")) {
                throw new Refused("host '" + host + "' is " + view.state()
                        + ": its agent can be told to let its VMs go; expected one that is DOWN");
            }
            CompletionStage<List<Fenced.Row>> rows = CompletableFuture.completedFuture(List.of());
            for (VmView vm : shown.vms()) {
                rows = rows.thenCompose(before -> restart(vm, host).thenApply(row -> {
                    List<Fenced.Row> all = new ArrayList<>(before);
                    row.ifPresent(all::add);
                    return List.copyOf(all);
                }));
            }
            return rows.thenApply(all -> new Fenced(host, all));
        });
    }

    private CompletionStage<Optional<Fenced.Row>> restart(VmView vm, String host) {
        String name = vm.spec().name();
        return vms.ownership(name)
                .thenCompose(owner -> owner.grants(host)
                        ? takeAway(vm, host, owner)
                                .exceptionally(failure -> new Fenced.Row(name, "LEFT", reason(failure)))
                                .thenApply(Optional::of)
                        : CompletableFuture.completedFuture(Optional.empty()));
    }

    /** From the moment the ledger has taken it away it waits to be started anew, whatever goes wrong here. */
    private CompletionStage<Fenced.Row> takeAway(VmView vm, String host, OwnershipView owner) {
        String name = vm.spec().name();
        if (owner.handoff().isPresent()) {
            throw new Refused("the handoff of migration "
                    + owner.handoff().get().migration() + " is not settled yet: ask again in a moment");
        }
        return vms.fenceOff(name, host, owner.epoch(), "an operator confirmed that host " + host + " is down")
                .thenCompose(_ -> start(vm, owner.epoch())
                        .handle((to, failure) -> failure == null
                                ? new Fenced.Row(name, "RESTARTED", to)
                                : new Fenced.Row(name, "WAITING", reason(failure))));
    }

    private CompletionStage<String> start(VmView vm, long epoch) {
        return vms.place(now -> {
            var placement = FirstFit.placeNew(Fleet.of(now), vm.spec(), Optional.empty());
            String to = placement
                    .to()
                    .orElseThrow(() -> new Refused(placement.reason().orElse("it fits nowhere")));
            return vms.startAnew(vm.spec(), epoch, to).thenApply(_ -> to);
        });
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return String.valueOf(cause.getMessage());
    }
}
