package io.godwit.agent.qemu;

import io.godwit.proto.host.HostCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.GuestException;
import io.godwit.vm.VmHost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One QEMU guest on one host: takes the same commands, gives the same reports and keeps to the same ledger as {@link
 * io.godwit.vm.Vm}. QEMU carries the bytes; this decides when. The process outlives the agent, and a later agent goes on
 * from the guest's manifest. The states are in the classes named in brackets.
 *
 * <pre>
 * starting → running                                     [QemuStarting, QemuRunning]
 * running → looking → running                            [QemuChecking]
 * running → leaving → running | closing → gone           [QemuDeparture … QemuReleasing, QemuClosing]
 * starting → arriving → running | closing → gone         [QemuArrival]
 * found → settling → running | arriving | closing        [QemuSettling] (after a restart of the agent)
 * </pre>
 */
public final class QemuVm {
    /** What it is told. */
    public sealed interface Command {}

    /** A coordinator asks; answered to its replyTo, or to the migration it names. */
    public record Asked(HostCommand command) implements Command {}

    /** A monitor says something. */
    record Heard(QmpMonitor.Event event) implements Command {}

    /** The process has ended. */
    record Exited(String how) implements Command {}

    /** The process has been started or found, or is somebody else's and nothing is known of it. */
    record Launched(Optional<QemuProcess> process, String error) implements Command {}

    /** The process runs and has been looked at; {@code settled} is what the VM's spec has become. */
    record Started(@Nullable VmSpec settled, String error) implements Command {}

    /** How it stands, or why that could not be told. */
    record Polled(@Nullable QemuFigures figures, String error) implements Command {}

    /** A step that QEMU was asked for is done, or was not: why. */
    record Stepped(Step step, String error) implements Command {}

    record LedgerSaid(OwnershipReply reply) implements Command {}

    record AskLedger() implements Command {}

    record Tick() implements Command {}

    /** Something has taken too long. */
    record Overdue(Step step) implements Command {}

    record Closed() implements Command {}

    /** What QEMU is asked for, one at a time of each. */
    enum Step {
        /** Capabilities, parameters and the word to migrate, or to listen. */
        SETUP,
        /** The source connects. */
        CONNECT,
        /** vCPUs stand still. */
        STOP,
        /** Go on past pre-switchover. */
        SWITCHOVER,
        /** End the migration. */
        CANCEL,
        /** vCPUs run. */
        RUN,
        /** End a migration whose VM runs at its destination. */
        RELEASE,
        /** Change parameters. */
        ADJUST,
        /** Mend the link of a postcopy. */
        RECOVER,
        /** The monitor came back. */
        CONTACT
    }

    private static final int STASH_MAX = 64;

    private QemuVm() {}

    /** A new VM, or one to be adopted: run under {@code epoch}; {@code create} is answered when it runs. */
    public static Behavior<Command> create(VmHost host, QemuHost qemu, HostCommand.CreateVm create)
            throws GuestException {
        VmSpec spec = create.spec();
        if (spec.qemu().flatMap(given -> given.adopt()).isEmpty()) {
            qemu.requireAbility(spec);
        }
        QemuFiles files = check(qemu, spec);
        return setup(host, qemu, files, spec, create.epoch(), core -> QemuStarting.toRun(core, create));
    }

    /** A VM that arrives: an empty QEMU, run once the ledger grants it. */
    public static Behavior<Command> incoming(VmHost host, QemuHost qemu, HostCommand.PrepareIncoming prepare)
            throws GuestException {
        VmSpec spec = prepare.spec();
        VmSpec own = spec.qemu().isPresent() ? spec.withQemu(spec.qemu().get().own()) : spec;
        QemuFiles files = check(qemu, own);
        qemu.requireAbility(own);
        List<String> blockers = QemuBlockers.of(own);
        if (!blockers.isEmpty()) {
            throw new GuestException(String.join("; ", blockers));
        }
        return setup(host, qemu, files, own, prepare.epoch(), core -> QemuStarting.toArrive(core, prepare));
    }

    /** A guest that an earlier agent has left, as its manifest says, and what is to become of it. */
    public record Left(
            VmSpec spec, long epoch, Optional<String> migration, boolean incoming, Behavior<Command> guest) {}

    /**
     * A guest that an earlier agent has left in {@code folder}. Blocks.
     *
     * @throws IOException when its manifest cannot be read
     */
    public static Left left(VmHost host, QemuHost qemu, Path folder, SpecCodec codec) throws IOException {
        QemuFiles files = new QemuFiles(folder);
        QemuManifest manifest = QemuManifest.read(files.manifest(), codec);
        return new Left(
                manifest.spec(),
                manifest.epoch(),
                manifest.migration(),
                manifest.role() == QemuManifest.Role.ARRIVING,
                setup(
                        host,
                        qemu,
                        files,
                        manifest.spec(),
                        manifest.epoch(),
                        core -> QemuStarting.toSettle(core, manifest)));
    }

    private static QemuFiles check(QemuHost qemu, VmSpec spec) throws GuestException {
        Optional<String> devices = QemuBlockers.devices(spec);
        if (devices.isPresent()) {
            throw new GuestException(devices.get());
        }
        String _ = qemu.accelerator(spec);
        var _ = QemuWorkload.of(spec);
        return QemuFiles.of(qemu.root(), spec.name());
    }

    private static Behavior<Command> setup(
            VmHost host,
            QemuHost qemu,
            QemuFiles files,
            VmSpec spec,
            long epoch,
            Function<QemuCore, Behavior<Command>> begin) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> Behaviors.withStash(
                STASH_MAX,
                stash -> begin.apply(new QemuCore(context, timers, stash, host, qemu, files, spec, epoch)))));
    }
}
