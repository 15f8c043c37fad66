package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Launched;
import io.godwit.agent.qemu.QemuVm.Started;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.migration.DataPlane;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.proto.vm.VmSpec;
import io.godwit.vm.GuestException;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * A QEMU comes into being, or is found: the process is started, its monitors are opened, and it is asked what it is.
 *
 * <pre>launching → looking → QemuRunning | QemuArrival | QemuSettling;  failure → QemuClosing</pre>
 */
final class QemuStarting {
    private static final String TYPE_SUFFIX = "-machine";
    private static final String NO_UUID = "00000000-0000-0000-0000-000000000000";

    private final QemuCore core;

    private QemuStarting(QemuCore core) {
        this.core = core;
    }

    static Behavior<Command> toRun(QemuCore core, HostCommand.CreateVm create) {
        core.stand(RunState.PRELAUNCH, Optional.empty());
        QemuStarting starting = new QemuStarting(core);
        Consumer<String> failed = error -> create.replyTo().tell(core.refusal(error));
        return starting.launching(
                () -> core.foreign() ? Optional.empty() : Optional.of(starting.launch(false)),
                QemuManifest.Role.RUNNING,
                Optional.empty(),
                () -> starting.looking(create, failed),
                failed);
    }

    static Behavior<Command> toArrive(QemuCore core, HostCommand.PrepareIncoming prepare) {
        String migration = prepare.migration();
        core.stand(RunState.PRELAUNCH, Optional.of(migration));
        QemuStarting starting = new QemuStarting(core);
        return starting.launching(
                () -> Optional.of(starting.launch(true)),
                QemuManifest.Role.ARRIVING,
                Optional.of(migration),
                () -> QemuArrival.listen(core, migration),
                error -> core.report(new MigrationReport.IncomingFailed(migration, core.host.host(), error)));
    }

    /** An earlier agent's guest. */
    static Behavior<Command> toSettle(QemuCore core, QemuManifest manifest) {
        boolean arriving = manifest.role() == QemuManifest.Role.ARRIVING;
        core.migrationUri(manifest.uri());
        core.stand(arriving ? RunState.RESTORE_VM : RunState.PAUSED, manifest.migration());
        core.context.pipeToSelf(
                DataPlane.call(
                        () -> core.foreign()
                                ? Optional.<QemuProcess>empty()
                                : core.qemu.launcher().find(core.files),
                        core.host.dataPlane()),
                (process, thrown) -> thrown == null
                        ? new Launched(process, "")
                        : new Launched(Optional.empty(), DataPlane.reason(thrown)));
        return waiting(core, command -> switch (command) {
            case Launched(var process, var error)
            when process.isEmpty() && !core.foreign() -> {
                core.ended(error.isEmpty() ? "has ended while no agent was here" : "cannot be found: " + error);
                yield core.stash.unstashAll(QemuSettling.gone(core, manifest));
            }
            case Launched(var process, var _) -> {
                core.attach(process);
                yield core.stash.unstashAll(QemuSettling.begin(core, manifest));
            }
            case Stepped _,
                    Started _,
                    Launched _,
                    QemuVm.Exited _,
                    QemuVm.Heard _,
                    QemuVm.Polled _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Tick _,
                    QemuVm.Overdue _,
                    QemuVm.Closed _,
                    Asked _ -> Behaviors.same();
        });
    }

    private QemuProcess launch(boolean incoming) throws IOException, GuestException {
        core.qemu.requireMemory(core.spec());
        QemuWorkload.prepare(core.spec(), core.files);
        return core.qemu
                .launcher()
                .launch(QemuCommandLine.of(core.qemu.binary(), core.spec(), core.files, incoming), core.files);
    }

    private Behavior<Command> launching(
            Callable<Optional<QemuProcess>> launch,
            QemuManifest.Role role,
            Optional<String> migration,
            Supplier<Behavior<Command>> next,
            Consumer<String> failed) {
        try {
            QemuSpec given = core.spec().qemu().orElse(QemuSpec.DEFAULT);
            core.settled(core.spec().withQemu(given.settled(given.machine(), core.qemu.accelerator(core.spec()))));
        } catch (GuestException e) {
            failed.accept(String.valueOf(e.getMessage()));
            return QemuClosing.kill(core, Optional.empty(), () -> {});
        }
        core.context.pipeToSelf(
                core.save(role, core.epoch(), migration)
                        .thenCompose(_ -> DataPlane.call(launch, core.host.dataPlane())),
                (process, thrown) -> thrown == null
                        ? new Launched(process, "")
                        : new Launched(Optional.empty(), DataPlane.reason(thrown)));
        return waiting(core, command -> switch (command) {
            case Launched(var _, var error) when !error.isEmpty() -> fail(error, failed);
            case Launched(var process, var _) -> {
                core.attach(process);
                yield next.get();
            }
            case Stepped _,
                    Started _,
                    Launched _,
                    QemuVm.Exited _,
                    QemuVm.Heard _,
                    QemuVm.Polled _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Tick _,
                    QemuVm.Overdue _,
                    QemuVm.Closed _,
                    Asked _ -> Behaviors.same();
        });
    }

    private Behavior<Command> fail(String error, Consumer<String> failed) {
        failed.accept(error);
        return core.stash.unstashAll(QemuClosing.kill(core, Optional.empty(), () -> {}));
    }

    private Behavior<Command> looking(HostCommand.CreateVm create, Consumer<String> failed) {
        core.context.pipeToSelf(
                core.foreign() ? adopt() : settle(),
                (settled, thrown) -> new Started(settled, thrown == null ? "" : DataPlane.reason(thrown)));
        return waiting(core, command -> switch (command) {
            case Started(var settled, var error) -> {
                if (settled == null) {
                    yield core.foreign() ? letBe(error, failed) : fail(error, failed);
                }
                core.settled(settled);
                core.step(Step.RUN, core.run(core.epoch()));
                yield Behaviors.same();
            }
            case Stepped(var step, var error)
            when step == Step.RUN -> {
                if (!error.isEmpty()) {
                    yield core.foreign() ? letBe(error, failed) : fail(error, failed);
                }
                create.replyTo().tell(new HostReply.VmChanged(core.stand(RunState.RUNNING, Optional.empty())));
                yield core.stash.unstashAll(QemuRunning.begin(core, Optional.empty()));
            }
            case QemuVm.Exited(var how) -> {
                core.ended(how);
                yield fail("QEMU " + how, failed);
            }
            case Stepped _,
                    Started _,
                    Launched _,
                    QemuVm.Exited _,
                    QemuVm.Heard _,
                    QemuVm.Polled _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Tick _,
                    QemuVm.Overdue _,
                    QemuVm.Closed _,
                    Asked _ -> Behaviors.same();
        });
    }

    /** Somebody else's QEMU that is not what was expected goes on as it was. */
    private Behavior<Command> letBe(String error, Consumer<String> failed) {
        failed.accept(error);
        core.ended("was not adopted");
        return core.stash.unstashAll(QemuClosing.kill(core, Optional.empty(), () -> {}));
    }

    /** The machine type with its version, which both ends of a migration must agree on. */
    private CompletionStage<VmSpec> settle() {
        return core.session().call("qom-get", machineType()).thenApply(type -> {
            QemuSpec given = core.spec().qemu().orElse(QemuSpec.DEFAULT);
            return core.spec().withQemu(given.settled(machine(type), given.accelerator()));
        });
    }

    /** What somebody else's QEMU is: it must have the memory and vCPUs of the spec, because the plan counts on them. */
    private CompletionStage<VmSpec> adopt() {
        VmSpec spec = core.spec();
        QmpSession session = core.session();
        return session.call("query-memory-size-summary")
                .thenCombine(session.call("query-cpus-fast"), (memory, cpus) -> {
                    expect(spec, "bytes of memory", memory.path("base-memory").asLong(), spec.memoryBytes());
                    expect(spec, "vCPUs", cpus.size(), spec.vcpus());
                    return spec;
                })
                .thenCombine(session.call("query-name"), (_, name) -> {
                    String said = name.path("name").asText("");
                    if (!said.isEmpty() && !said.equals(spec.name())) {
                        throw new CompletionException(new IOException(
                                "the QEMU to be adopted is VM '" + said + "'; expected '" + spec.name() + "'"));
                    }
                    return spec;
                })
                .thenCombine(session.call("qom-get", machineType()), (_, type) -> machine(type))
                .thenCombine(
                        session.call("query-kvm"),
                        (machine, kvm) -> spec.qemu()
                                .orElse(QemuSpec.DEFAULT)
                                .settled(machine, kvm.path("enabled").asBoolean() ? "kvm" : "tcg"))
                .thenCombine(session.call("query-uuid"), QemuStarting::withUuid)
                .thenCombine(
                        session.call("query-status"),
                        (settled, state) -> spec.withQemu(
                                // one that has never run waits for whoever takes it over
                                settled.paused(state.path("status").asText().equals("paused"))));
    }

    /** A destination has to have the UUID that its guest has seen, which is not ours to choose. */
    private static QemuSpec withUuid(QemuSpec settled, JsonNode answer) {
        String uuid = answer.path("UUID").asText();
        return uuid.isEmpty() || uuid.equals(NO_UUID) || settled.arguments().contains("-uuid")
                ? settled
                : settled.with(List.of("-uuid", uuid));
    }

    private static void expect(VmSpec spec, String what, long has, long wanted) {
        if (has != wanted) {
            throw new CompletionException(new IOException("the QEMU to be adopted as VM " + spec.name() + " has " + has
                    + " " + what + "; expected " + wanted));
        }
    }

    private static ObjectNode machineType() {
        return QmpSession.arguments().put("path", "/machine").put("property", "type");
    }

    private static String machine(JsonNode type) {
        String name = type.asText();
        return name.endsWith(TYPE_SUFFIX) ? name.substring(0, name.length() - TYPE_SUFFIX.length()) : name;
    }

    /** Commands wait until it is known what has become of the process. */
    static Behavior<Command> waiting(QemuCore core, Function<Command, Behavior<Command>> rest) {
        return Behaviors.receiveMessage(
                command -> command instanceof Asked asked ? core.later(asked) : rest.apply(command));
    }
}
