package io.godwit.vm;

import io.godwit.migration.ResumePath;
import io.godwit.migration.SavePath;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamReader;
import java.util.Optional;
import java.util.function.Function;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One VM on one host: owns the guest and the actors of its devices and containers, and holds the ownership grant. It runs
 * vCPUs only under a grant; once it was told to switch over it has surrendered and runs again only under a higher epoch.
 * This is its protocol; the states are in the classes named in brackets.
 *
 * <pre>
 * building → starting → running ⇄ checking                      [VmBuilding, VmRunning, VmChecking]
 *                       running → stopThenClose → closing → gone (destroyed)
 *                       running → saving → running               [Departure] (failed before the stop, or rolled back
 *                                                                under a higher epoch)
 *                                 saving → closing → gone        [VmClosing] (committed elsewhere)
 * building → incoming → running                                  [Arrival] (granted)
 *            incoming → closing → gone                           (failed, discarded)
 * </pre>
 */
public final class Vm {
    /** What a Vm is told. */
    public sealed interface Command {}

    /** A coordinator asks; answered to its replyTo, or to the migration it names. */
    public record Asked(HostCommand command) implements Command {}

    /** The stream of an incoming migration has connected. */
    public record StreamArrived(Preamble preamble, StreamReader reader) implements Command {}

    record Built(@Nullable VmBuilder parts, String error) implements Command {}

    record RunStateReplied(RunStateChange.Outcome outcome) implements Command {}

    record Checked(@Nullable GuestCheck check, String error) implements Command {}

    record Saved(SavePath.Event event) implements Command {}

    record Resumed(ResumePath.Event event) implements Command {}

    record LedgerSaid(OwnershipReply reply) implements Command {}

    record AskLedger() implements Command {}

    record LookAtGuest() implements Command {}

    record Closed() implements Command {}

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

    /** Most commands kept while the VM is between two states. */
    private static final int STASH_MAX = 64;

    private Vm() {}

    /** A new VM: built, then run under {@code epoch}; {@code create} is answered when it runs. */
    public static Behavior<Command> create(VmHost host, GuestDriver driver, HostCommand.CreateVm create) {
        return setup(host, create.spec(), create.epoch(), core -> VmBuilding.toRun(core, driver, create));
    }

    /** A VM that arrives: built empty, then loaded by a stream, and run once the ledger grants it. */
    public static Behavior<Command> incoming(VmHost host, GuestDriver driver, HostCommand.PrepareIncoming prepare) {
        return setup(host, prepare.spec(), prepare.epoch(), core -> VmBuilding.toArrive(core, driver, prepare));
    }

    private static Behavior<Command> setup(
            VmHost host, VmSpec spec, long epoch, Function<VmCore, Behavior<Command>> begin) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> Behaviors.withStash(
                STASH_MAX, stash -> begin.apply(new VmCore(context, timers, stash, host, spec, epoch)))));
    }
}
