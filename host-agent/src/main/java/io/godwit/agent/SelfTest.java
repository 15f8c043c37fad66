package io.godwit.agent;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.migration.MigrationRequest;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveProgress;
import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * Before an agent serves, it migrates a small VM with devices from itself to itself, those of protocol v2 and the one of v1
 * in turn, through real guests and a real socket, and checks the guest's rule. It finds a /dev/kvm that opens but does not work, memory that is not to
 * be had, a loopback that is shut; and it takes the cost of first use (class loading, linking, compilation) away from the
 * first real blackout, where it made up hundreds of milliseconds.
 *
 * <pre>creating → preparing → saving → switching → resuming → releasing → checking → destroying → (again) → Passed</pre>
 */
final class SelfTest {
    /** How it ended. */
    sealed interface Result {
        /** All as it should be. */
        record Passed() implements Result {}

        /** What went wrong. */
        record NotPassed(String reason) implements Result {}
    }

    private sealed interface Command {}

    private record Reported(MigrationMessage message) implements Command {}

    private record Replied(HostReply reply) implements Command {}

    private record LedgerAsked(OwnershipCommand command) implements Command {}

    private record TimedOut() implements Command {}

    /** The two agents it plays with: nobody else knows them. */
    @FunctionalInterface
    interface Agents {
        /** Spawns the agent {@code id}, a child of {@code context}, with {@code reports} and {@code ledger} as its coordinator. */
        ActorRef<HostAgent.Command> spawn(
                ActorContext<?> context,
                String id,
                ActorRef<MigrationMessage> reports,
                ActorRef<OwnershipCommand> ledger);
    }

    private static final long MIB = 1L << 20;
    private static final String VM = "self-test";
    private static final String SOURCE = "self-test-source";
    private static final String DESTINATION = "self-test-destination";
    private static final MigrationOptions OPTIONS = new MigrationOptions(5_000, true, 0, 10_000);

    private final ActorRef<HostAgent.Command> source;
    private final ActorRef<HostAgent.Command> destination;
    private final ActorRef<HostReply> replies;
    private final ActorRef<Result> replyTo;
    private final String driver;
    private VmSpec spec;
    private int roundsLeft;

    private SelfTest(
            ActorContext<Command> context, Agents agents, String driver, int rounds, ActorRef<Result> replyTo) {
        ActorRef<MigrationMessage> reports = context.messageAdapter(MigrationMessage.class, Reported::new);
        ActorRef<OwnershipCommand> ledger = context.messageAdapter(OwnershipCommand.class, LedgerAsked::new);
        this.source = agents.spawn(context, SOURCE, reports, ledger);
        this.destination = agents.spawn(context, DESTINATION, reports, ledger);
        this.replies = context.messageAdapter(HostReply.class, Replied::new);
        this.replyTo = replyTo;
        this.roundsLeft = rounds;
        this.driver = driver;
        this.spec = spec();
    }

    private VmSpec spec() {
        List<DeviceSpec> v2 = List.of(
                new DeviceSpec("gpu0", "gpu", "c0", 2 * MIB, MIB, MIB, MIB, "PERSISTENT"),
                new DeviceSpec("vnic0", "vnic", "c0", 16 << 10, 4 << 10, 0, 0, "PERSISTENT"));
        List<DeviceSpec> v1 = List.of(new DeviceSpec("nic0", "nic", "c0", 16 << 10, 4 << 10, MIB, MIB, "PERSISTENT"));
        return new VmSpec(
                VM,
                driver,
                16 * MIB,
                1,
                new WorkloadSpec(4 * MIB, 8 * MIB, true),
                // the last round, none being left, is that of v2: it is what most VMs need soon
                roundsLeft % 2 == 0 ? v2 : v1,
                5_000);
    }

    /** Begins at once. */
    static Behavior<Void> create(Agents agents, String driver, int rounds, Duration limit, ActorRef<Result> replyTo) {
        return Behaviors.<Command>setup(context -> Behaviors.withTimers(timers -> {
                    timers.startSingleTimer(new TimedOut(), limit);
                    return new SelfTest(context, agents, driver, rounds, replyTo).creating();
                }))
                .unsafeCast();
    }

    private Behavior<Command> creating() {
        if (roundsLeft-- == 0) {
            replyTo.tell(new Result.Passed());
            return Behaviors.stopped();
        }
        spec = spec();
        tell(source, new HostCommand.CreateVm(spec, 1, replies));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Replied(HostReply.VmChanged(var status)) -> {
                spec = status.spec();
                yield migrating("round-" + roundsLeft);
            }
            case Replied(var reply) -> failed("creating a guest: " + reply);
            case Reported(var message) -> failed("creating a guest: " + message);
            case LedgerAsked(var asked) -> failed("creating a guest: " + asked);
            case TimedOut() -> failed("creating a guest took too long");
        });
    }

    private Behavior<Command> migrating(String migration) {
        tell(destination, new HostCommand.PrepareIncoming(migration, spec, SOURCE, 1, OPTIONS));
        boolean[] committed = {false};
        return Behaviors.receiveMessage(command -> switch (command) {
            case Reported(SaveProgress _) -> Behaviors.same();
            case Reported(MigrationRequest request) -> failed("unexpected: " + request);
            case Reported(MigrationReport report) -> reported(migration, report);
            // as a real one: what is committed once stays so
            case LedgerAsked(var asked) -> {
                committed[0] |= asked instanceof OwnershipCommand.CommitHandoff;
                asked.replyTo().tell(new OwnershipReply.OwnershipAccepted(view(migration, committed[0])));
                yield Behaviors.same();
            }
            case Replied(HostReply.VmChecked(var _, var check)) -> {
                if (!check.holds()) {
                    yield failed("a write was lost: " + check.detail());
                }
                tell(destination, new HostCommand.DestroyVm(VM, 2, replies));
                yield Behaviors.same();
            }
            case Replied(HostReply.VmGone _) -> creating();
            case Replied(var reply) -> failed("checking and destroying: " + reply);
            case TimedOut() -> failed("migrating from itself to itself took too long");
        });
    }

    private Behavior<Command> reported(String migration, MigrationReport report) {
        switch (report) {
            case MigrationReport.IncomingReady ready ->
                tell(
                        source,
                        new HostCommand.BeginSave(
                                migration,
                                VM,
                                1,
                                ready.endpoint(),
                                OPTIONS,
                                SaveLimits.first(OPTIONS, spec.blackoutBudgetMs())));
            case MigrationReport.SaveStarted _ -> {}
            case MigrationReport.ReadyToSwitchOver _ -> tell(source, new HostCommand.SwitchOver(migration, VM, 1));
            // it asks the ledger by itself, and then runs; this word comes only if that takes long
            case MigrationReport.IncomingLoaded _ -> {}
            case MigrationReport.VmRunning _ -> tell(source, new HostCommand.ReleaseSource(migration, VM, 2));
            case MigrationReport.SourceReleased _ -> tell(destination, new HostCommand.CheckVm(VM, replies));
            case MigrationReport.IncomingFailed failed -> {
                return failed("receiving: " + failed.reason());
            }
            case MigrationReport.SaveFailed failed -> {
                return failed("sending: " + failed.reason());
            }
            case MigrationReport.CommandRefused _, MigrationReport.IncomingDiscarded _ -> {
                return failed("unexpected: " + report);
            }
        }
        return Behaviors.same();
    }

    private static OwnershipView view(String migration, boolean committed) {
        return committed
                ? new OwnershipView(VM, Optional.of(DESTINATION), 2, Optional.empty(), Optional.of(migration))
                : new OwnershipView(
                        VM,
                        Optional.of(SOURCE),
                        1,
                        Optional.of(new Handoff(migration, SOURCE, DESTINATION, OPTIONS.handoffDeadlineMs())),
                        Optional.empty());
    }

    private Behavior<Command> failed(String reason) {
        replyTo.tell(new Result.NotPassed(reason));
        return Behaviors.stopped();
    }

    private static void tell(ActorRef<HostAgent.Command> agent, HostCommand command) {
        agent.tell(new HostAgent.Asked(command));
    }
}
