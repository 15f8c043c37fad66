package io.godwit.fleet;

import io.godwit.fleet.CoordinatorException.NotFound;
import io.godwit.fleet.CoordinatorException.Unavailable;
import io.godwit.fleet.VmHistory.Move;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.HostCommand.DescribeVm;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.host.HostReply.HostRefused;
import io.godwit.proto.host.HostReply.VmChanged;
import io.godwit.proto.host.HostReply.VmChecked;
import io.godwit.proto.host.HostReply.VmDescribed;
import io.godwit.proto.host.HostReply.VmGone;
import io.godwit.proto.migration.MigrationPhase;
import io.godwit.proto.migration.MigrationReply.MigrationHistoryShown;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.vm.DeviceLog;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Puts a VM's history together: from its ledger's journal, its migrations, and the host that it is on. */
final class VmHistories {
    /**
     * Epochs grow; the migration that led to one came before those that ended without a new one. Ids tell the rest: they
     * hold the time, behind a prefix.
     */
    private static final Comparator<MigrationView> OLDEST_FIRST = Comparator.comparingLong(MigrationView::epoch)
            .thenComparing(view -> view.phase() != MigrationPhase.COMPLETED)
            .thenComparing(view -> view.id().substring(view.id().indexOf('-') + 1));

    private final VmLifecycle vms;
    private final EntityDirectory<MigrationHistoryShown> migrations;
    private final EntityDirectory<EvacuationView> evacuations;
    private final Function<String, CompletionStage<List<LedgerEntry>>> ledgers;

    /** What a host has to say of a VM. */
    private record Live(Optional<String> host, List<DeviceLog> devices, Optional<String> trouble) {}

    /** @param ledgers what the journal holds of a VM's ledger, oldest first */
    VmHistories(
            VmLifecycle vms,
            EntityDirectory<MigrationHistoryShown> migrations,
            EntityDirectory<EvacuationView> evacuations,
            Function<String, CompletionStage<List<LedgerEntry>>> ledgers) {
        this.vms = vms;
        this.migrations = migrations;
        this.evacuations = evacuations;
        this.ledgers = ledgers;
    }

    /** The history of {@code vm}. A host that does not answer leaves the past untouched. */
    CompletionStage<VmHistory> of(String vm) {
        return vms.fleet().thenCompose(shown -> {
            Optional<VmView> view = shown.vms().stream()
                    .filter(known -> known.spec().name().equals(vm))
                    .findFirst();
            return live(vm, view.flatMap(VmView::host)).thenCombine(past(vm), (live, past) -> {
                List<Move> moves = past.migrations().stream()
                        .filter(one -> one.view().vm().equals(vm))
                        .sorted(Comparator.comparing(MigrationHistoryShown::view, OLDEST_FIRST))
                        .map(one -> new Move(one.view(), one.source()))
                        .toList();
                if (view.isEmpty() && moves.isEmpty() && past.owners().isEmpty()) {
                    throw new NotFound("vm", vm);
                }
                return new VmHistory(vm, past.owners(), moves, live.host(), live.devices(), live.trouble());
            });
        });
    }

    private record Past(List<MigrationHistoryShown> migrations, List<VmHistory.Owner> owners) {}

    private CompletionStage<Past> past(String vm) {
        CompletionStage<Map<String, String>> batches = evacuations.list().thenApply(all -> {
            Map<String, String> byMigration = new HashMap<>();
            all.forEach(evacuation -> evacuation
                    .vms()
                    .forEach(row -> row.migrations().forEach(one -> byMigration.put(one, evacuation.id()))));
            return byMigration;
        });
        return migrations
                .list()
                .thenCombine(
                        batches.thenCombine(
                                ledgers.apply(vm), (byMigration, entries) -> Owners.of(vm, entries, byMigration)),
                        Past::new);
    }

    private CompletionStage<Live> live(String vm, Optional<String> host) {
        return host.map(at -> vms.tellHost(at, replyTo -> new DescribeVm(vm, replyTo))
                        .thenApply(reply -> live(at, reply))
                        .exceptionallyCompose(failure -> unreached(at, failure)))
                .orElseGet(() ->
                        CompletableFuture.completedFuture(new Live(Optional.empty(), List.of(), Optional.empty())));
    }

    private static Live live(String host, HostReply reply) {
        return switch (reply) {
            case VmDescribed described -> new Live(Optional.of(host), described.devices(), Optional.empty());
            case HostRefused refused -> new Live(Optional.of(host), List.of(), Optional.of(refused.reason()));
            case VmGone _ -> new Live(Optional.of(host), List.of(), Optional.of("it is not there any more"));
            case VmChanged _, VmChecked _ ->
                new Live(Optional.of(host), List.of(), Optional.of("host " + host + " gave the wrong answer"));
        };
    }

    private static CompletionStage<Live> unreached(String host, Throwable failure) {
        Throwable cause =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return cause instanceof Unavailable
                ? CompletableFuture.completedFuture(
                        new Live(Optional.of(host), List.of(), Optional.of(String.valueOf(cause.getMessage()))))
                : CompletableFuture.failedFuture(failure);
    }
}
