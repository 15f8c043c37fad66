package io.godwit.fleet;

import io.godwit.evacuation.DrainPlans;
import io.godwit.evacuation.EvacuationRules;
import io.godwit.fleet.CoordinatorException.NotFound;
import io.godwit.fleet.CoordinatorException.Refused;
import io.godwit.plan.Fleet;
import io.godwit.plan.Placement;
import io.godwit.plan.Plan;
import io.godwit.proto.Names;
import io.godwit.proto.evacuation.EvacuationMessage;
import io.godwit.proto.evacuation.EvacuationMessage.ShowEvacuation;
import io.godwit.proto.evacuation.EvacuationMessage.StartEvacuation;
import io.godwit.proto.evacuation.EvacuationReply;
import io.godwit.proto.evacuation.EvacuationReply.EvacuationRefused;
import io.godwit.proto.evacuation.EvacuationReply.EvacuationShown;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.FleetCommand.CordonHost;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.HostCommand.CheckVm;
import io.godwit.proto.host.HostReply.HostRefused;
import io.godwit.proto.host.HostReply.VmChanged;
import io.godwit.proto.host.HostReply.VmChecked;
import io.godwit.proto.host.HostReply.VmDescribed;
import io.godwit.proto.host.HostReply.VmGone;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReply;
import io.godwit.proto.migration.MigrationReply.MigrationHistoryShown;
import io.godwit.proto.migration.MigrationReply.MigrationRefused;
import io.godwit.proto.migration.MigrationReply.MigrationShown;
import io.godwit.proto.migration.MigrationRequest.AdjustMigration;
import io.godwit.proto.migration.MigrationRequest.CancelMigration;
import io.godwit.proto.migration.MigrationRequest.ShowMigration;
import io.godwit.proto.migration.MigrationRequest.ShowMigrationHistory;
import io.godwit.proto.migration.MigrationRequest.StartMigration;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.japi.function.Function;

/** The coordinator's actors behind one interface. */
final class CoordinatorService implements Coordinator {
    private final CoordinatorPorts ports;
    private final CoordinatorSettings settings;
    private final Asking asking;
    private final VmLifecycle vms;
    private final EntityDirectory<MigrationView> migrations;
    private final EntityDirectory<EvacuationView> evacuations;
    private final VmHistories histories;

    CoordinatorService(CoordinatorPorts ports, CoordinatorSettings settings) {
        this.ports = ports;
        this.settings = settings;
        this.asking = new Asking(ports.system());
        this.vms = new VmLifecycle(ports, settings, asking);
        this.migrations = directory(
                Names.MIGRATION.name(),
                id -> showMigration(id)
                        .thenApply(reply ->
                                reply instanceof MigrationShown(var view) ? Optional.of(view) : Optional.empty()));
        this.evacuations = directory(
                Names.EVACUATION.name(),
                id -> showEvacuation(id)
                        .thenApply(reply ->
                                reply instanceof EvacuationShown(var view) ? Optional.of(view) : Optional.empty()));
        this.histories = new VmHistories(
                vms,
                directory(
                        Names.MIGRATION.name(),
                        id -> showMigration(id, replyTo -> new ShowMigrationHistory(id, replyTo))
                                .thenApply(reply -> reply instanceof MigrationHistoryShown shown
                                        ? Optional.of(shown)
                                        : Optional.empty())),
                evacuations,
                ports.ledgerEntries());
    }

    private <V> EntityDirectory<V> directory(
            String type, java.util.function.Function<String, CompletionStage<Optional<V>>> ask) {
        return new EntityDirectory<>(ports.system(), ports.persistenceIds(), type, settings.listParallelism(), ask);
    }

    @Override
    public CompletionStage<FleetShown> fleet() {
        return vms.fleet();
    }

    @Override
    public CompletionStage<VmStatus> createVm(VmSpec spec, Optional<String> host) {
        return vms.create(spec, host);
    }

    @Override
    public CompletionStage<Void> destroyVm(String vm) {
        return vms.destroy(vm);
    }

    @Override
    public CompletionStage<Void> cordon(String host, boolean cordoned) {
        return fleet().thenCompose(shown -> {
            requireHost(shown, host);
            return vms.change(replyTo -> new CordonHost(host, cordoned, replyTo));
        });
    }

    @Override
    public CompletionStage<Fenced> fence(String host) {
        return new Fencing(vms).fence(host);
    }

    @Override
    public CompletionStage<MigrationView> startMigration(String vm, Optional<String> to, MigrationOptions options) {
        return vms.settled(vm)
                .thenComposeAsync(
                        settled -> {
                            FleetShown shown = settled.fleet();
                            VmView view = settled.vm();
                            OwnershipView owner = settled.owner();
                            to.ifPresent(host -> requireHost(shown, host));
                            String from = view.host().orElseThrow(() -> new Refused("vm '" + vm + "' is on no host"));
                            view.migration().ifPresent(other -> {
                                throw new Refused("vm '" + vm + "' is being moved by migration " + other);
                            });
                            if (!view.state().equals("RUNNING") && !view.state().equals("PAUSED")) {
                                throw new Refused(
                                        "vm '" + vm + "' is " + view.state() + "; expected RUNNING or PAUSED");
                            }
                            settings.policies().fault(view.spec(), options).ifPresent(fault -> {
                                throw new Refused(fault);
                            });
                            String destination = destination(shown, vm, from, to);
                            if (!owner.grants(from)) {
                                throw new Refused("the ledger says that vm '" + vm + "' belongs to "
                                        + owner.host()
                                                .map(host -> "host " + host)
                                                .orElse("nobody") + ", not to host " + from);
                            }
                            String id = ports.ids().next("m");
                            return shown(
                                    askMigration(
                                            id,
                                            replyTo -> new StartMigration(
                                                    id,
                                                    view.spec(),
                                                    from,
                                                    destination,
                                                    owner.epoch(),
                                                    options,
                                                    Optional.empty(),
                                                    replyTo)),
                                    Refused::new);
                        },
                        ports.planning());
    }

    /** The wanted host when it can take the VM, else the planner's choice. */
    private String destination(FleetShown shown, String vm, String from, Optional<String> to) {
        if (to.filter(from::equals).isPresent()) {
            throw new Refused("vm '" + vm + "' is on host '" + from + "' already");
        }
        Fleet all = Fleet.of(shown);
        Fleet choice = to.map(wanted -> all.only(wanted)).orElse(all);
        Placement placement = ports.planner()
                .plan(choice, Set.of(), List.of(vm), Map.of())
                .placements()
                .getFirst();
        return placement
                .to()
                .orElseThrow(() ->
                        new Refused("vm '" + vm + "' " + placement.reason().orElse("fits nowhere")));
    }

    @Override
    public CompletionStage<MigrationView> migration(String id) {
        return shown(showMigration(id), _ -> new NotFound("migration", id));
    }

    @Override
    public CompletionStage<List<MigrationView>> migrations() {
        return migrations.list();
    }

    @Override
    public CompletionStage<MigrationView> cancelMigration(String id, String reason) {
        return migration(id)
                .thenCompose(_ -> shown(
                        askMigration(id, replyTo -> new CancelMigration(id, reason, replyTo)),
                        why -> new Refused("migration " + id + ": " + why)));
    }

    @Override
    public CompletionStage<MigrationView> adjustMigration(
            String id, long downtimeLimitMs, long bandwidthBytesPerSecond) {
        return migration(id)
                .thenCompose(_ -> shown(
                        askMigration(
                                id,
                                replyTo -> new AdjustMigration(id, downtimeLimitMs, bandwidthBytesPerSecond, replyTo)),
                        why -> new Refused("migration " + id + ": " + why)));
    }

    @Override
    public CompletionStage<EvacuationView> startEvacuation(
            List<String> hosts, MigrationOptions options, boolean makeRoom) {
        String id = ports.ids().next("e");
        return askEvacuation(id, replyTo -> new StartEvacuation(id, hosts, options, makeRoom, replyTo))
                .thenApply(reply -> switch (reply) {
                    case EvacuationShown(var view) -> view;
                    case EvacuationRefused refused -> throw new Refused(refused.reason());
                });
    }

    @Override
    public CompletionStage<EvacuationView> evacuation(String id) {
        return showEvacuation(id).thenApply(reply -> switch (reply) {
            case EvacuationShown(var view) -> view;
            case EvacuationRefused _ -> throw new NotFound("evacuation", id);
        });
    }

    @Override
    public CompletionStage<List<EvacuationView>> evacuations() {
        return evacuations.list();
    }

    @Override
    public CompletionStage<Plan> planEvacuation(List<String> hosts, MigrationOptions options, boolean makeRoom) {
        EvacuationRules rules = new EvacuationRules(settings.policies(), 1);
        DrainPlans plans = new DrainPlans(ports.planner(), settings.policies());
        return fleet().thenApplyAsync(
                        shown -> {
                            rules.fault(hosts, options, shown).ifPresent(fault -> {
                                throw new Refused(fault);
                            });
                            return plans.dryRun(hosts, options, makeRoom, shown);
                        },
                        ports.planning());
    }

    @Override
    public CompletionStage<GuestCheck> checkVm(String vm) {
        return fleet().thenCompose(shown -> {
            VmView view = VmLifecycle.find(shown, vm);
            String host = view.host().orElseThrow(() -> new Refused("vm '" + vm + "' is on no host"));
            return vms.tellHost(host, replyTo -> new CheckVm(vm, replyTo)).thenApply(reply -> switch (reply) {
                case VmChecked checked -> checked.check();
                case HostRefused refused -> throw new Refused("host " + host + ": " + refused.reason());
                case VmGone _ -> throw new NotFound("vm", vm);
                case VmChanged _, VmDescribed _ -> throw new Refused("host " + host + " gave the wrong answer");
            });
        });
    }

    @Override
    public CompletionStage<VmHistory> vmHistory(String vm) {
        return histories.of(vm);
    }

    @Override
    public CompletionStage<OwnershipView> ownership(String vm) {
        return vms.ownership(vm);
    }

    private CompletionStage<MigrationReply> showMigration(String id) {
        return showMigration(id, replyTo -> new ShowMigration(id, replyTo));
    }

    private CompletionStage<MigrationReply> showMigration(
            String id, Function<ActorRef<MigrationReply>, MigrationMessage> question) {
        return id.isBlank()
                ? CompletableFuture.failedFuture(new NotFound("migration", id))
                : asking.askAgain(
                        ports.migrations().apply(id),
                        question,
                        settings.askTimeout(),
                        settings.askAgain(),
                        "migration " + id);
    }

    private CompletionStage<EvacuationReply> showEvacuation(String id) {
        return id.isBlank()
                ? CompletableFuture.failedFuture(new NotFound("evacuation", id))
                : asking.askAgain(
                        ports.evacuations().apply(id),
                        replyTo -> new ShowEvacuation(id, replyTo),
                        settings.askTimeout(),
                        settings.askAgain(),
                        "evacuation " + id);
    }

    private CompletionStage<MigrationReply> askMigration(
            String id, Function<ActorRef<MigrationReply>, MigrationMessage> question) {
        return asking.ask(ports.migrations().apply(id), question, settings.askTimeout(), "migration " + id);
    }

    private CompletionStage<EvacuationReply> askEvacuation(
            String id, Function<ActorRef<EvacuationReply>, EvacuationMessage> question) {
        return asking.ask(ports.evacuations().apply(id), question, settings.askTimeout(), "evacuation " + id);
    }

    private static CompletionStage<MigrationView> shown(
            CompletionStage<MigrationReply> answer, java.util.function.Function<String, CoordinatorException> refused) {
        return answer.thenApply(reply -> switch (reply) {
            case MigrationShown(var view) -> view;
            case MigrationHistoryShown(var view, var _) -> view;
            case MigrationRefused not -> throw refused.apply(not.reason());
        });
    }

    private static void requireHost(FleetShown shown, String host) {
        if (shown.hosts().stream().noneMatch(known -> known.host().equals(host))) {
            throw new NotFound("host", host);
        }
    }
}
