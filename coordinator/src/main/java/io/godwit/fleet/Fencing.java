package io.godwit.fleet;

import io.godwit.fleet.CoordinatorException.NotFound;
import io.godwit.fleet.CoordinatorException.Refused;
import io.godwit.plan.FirstFit;
import io.godwit.plan.Fleet;
import io.godwit.proto.fleet.FleetReply.FleetShown;
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
 * had is refused everywhere, and destroyed should it come back.
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
                                .handle((to, failure) -> Optional.of(
                                        failure == null
                                                ? new Fenced.Row(name, "RESTARTED", to)
                                                : new Fenced.Row(name, "LEFT", reason(failure))))
                        : CompletableFuture.completedFuture(Optional.empty()));
    }

    private CompletionStage<String> takeAway(VmView vm, String host, OwnershipView owner) {
        if (owner.handoff().isPresent()) {
            throw new Refused("the handoff of migration "
                    + owner.handoff().get().migration() + " is not settled yet: ask again in a moment");
        }
        return vms.fleet().thenCompose(now -> {
            String to = place(now, vm);
            return vms.moveClaim(vm.spec(), host, owner.epoch(), to).thenApply(_ -> to);
        });
    }

    private static String place(FleetShown shown, VmView vm) {
        var placement = FirstFit.placeNew(Fleet.of(shown), vm.spec(), Optional.empty());
        return placement.to().orElseThrow(() -> new Refused(placement.reason().orElse("it fits nowhere")));
    }

    private static String reason(Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return String.valueOf(cause.getMessage());
    }
}
