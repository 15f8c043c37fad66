package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.godwit.agent.qemu.QemuVm.Asked;
import io.godwit.agent.qemu.QemuVm.Command;
import io.godwit.agent.qemu.QemuVm.Exited;
import io.godwit.agent.qemu.QemuVm.Polled;
import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Stepped;
import io.godwit.agent.qemu.QemuVm.Tick;
import io.godwit.agent.qemu.workload.PageRule;
import io.godwit.proto.host.HostCommand;
import io.godwit.proto.host.HostReply;
import io.godwit.proto.migration.MigrationReport;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.vm.GuestException;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * The guest stands still while QEMU writes its pages to a file, which is checked and deleted. A guest that ran runs again
 * after that, whatever came of it: what does not start is tried again, and meanwhile shown as failed. One that stood is left
 * standing.
 *
 * <pre>looking → resuming → QemuRunning;  looking → QemuRunning (it stood)</pre>
 */
final class QemuChecking {
    // only 64-bit code has this register, and firmware is none
    private static final Pattern COUNTED = Pattern.compile("R15=([0-9a-fA-F]{16})");

    private final QemuCore core;
    private final Optional<MigrationReport.VmRunning> told;
    private final HostCommand.CheckVm check;
    private final PageRule rule;
    // written on threads of QEMU's answers, read by the actor once the step has ended
    private volatile boolean ran;
    private volatile @Nullable HostReply reply;
    private String failure = "";
    private boolean answered;

    private QemuChecking(
            QemuCore core, Optional<MigrationReport.VmRunning> told, HostCommand.CheckVm check, PageRule rule) {
        this.core = core;
        this.told = told;
        this.check = check;
        this.rule = rule;
    }

    /** Begins, or refuses a guest without a workload of ours. {@code told} is for the state after this. */
    static Behavior<Command> begin(QemuCore core, Optional<MigrationReport.VmRunning> told, HostCommand.CheckVm check) {
        try {
            var workload = QemuWorkload.of(core.spec());
            if (workload.isEmpty()) {
                return core.refuse(
                        check,
                        "VM " + core.name() + " has no rule to check: it is a QEMU guest without the workload "
                                + QemuSpec.BOOT_SECTOR);
            }
            if (core.ended().isPresent()) {
                return core.refuse(
                        check, "VM " + core.name() + ": " + core.ended().get());
            }
            return new QemuChecking(core, told, check, workload.get().rule()).looking();
        } catch (GuestException e) {
            return core.refuse(check, String.valueOf(e.getMessage()));
        }
    }

    private Behavior<Command> looking() {
        core.step(
                Step.STOP,
                core.session()
                        .call("query-status")
                        .thenCompose(this::standStill)
                        .thenCompose(_ -> look()));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Stepped(var step, var error)
            when step == Step.STOP -> {
                failure = error;
                yield ran ? resuming() : done();
            }
            case Exited(var how) -> exited(how);
            case Asked asked -> core.later(asked);
            case Polled _ -> polled();
            case Stepped _,
                    Tick _,
                    QemuVm.Heard _,
                    QemuVm.Launched _,
                    QemuVm.Started _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Overdue _,
                    QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private CompletionStage<?> standStill(JsonNode state) {
        ran = state.path("running").asBoolean();
        // an agent that dies now is not to leave a VM behind that looks as if its operator had paused it
        return ran
                ? core.save(QemuManifest.Role.RUNNING, core.epoch(), Optional.empty())
                        .thenCompose(_ -> core.stop())
                : CompletableFuture.completedFuture(null);
    }

    private CompletionStage<?> look() {
        QmpSession session = core.session();
        ObjectNode registers = QmpSession.arguments().put("command-line", "info registers");
        ObjectNode dump = QmpSession.arguments()
                .put("val", rule.firstGpa())
                .put("size", rule.bytes())
                .put("filename", core.files.dump().toString());
        return session.call("human-monitor-command", registers)
                .thenCompose(text -> session.call("pmemsave", dump).thenApply(_ -> text.asText()))
                .handleAsync(
                        (text, thrown) -> {
                            try {
                                if (thrown != null) {
                                    throw new CompletionException(thrown);
                                }
                                judge(counted(text));
                            } catch (IOException e) {
                                throw new CompletionException(e);
                            } finally {
                                delete();
                            }
                            return true;
                        },
                        core.host.dataPlane());
    }

    private void judge(OptionalLong counted) throws IOException {
        if (counted.isEmpty()) {
            reply = core.refusal(
                    "VM " + core.name() + " is still booting: its firmware runs, and the rule does not hold yet");
            return;
        }
        reply = switch (rule.check(core.files.dump(), counted)) {
            case PageRule.Verdict.Holds(var pass, var written, var total) ->
                checked(new GuestCheck(
                        true,
                        total,
                        0,
                        rule.pages() + " pages; pass " + pass + ", of which " + written
                                + " are written; the guest counted " + counted.getAsLong()));
            // before its first addition it prepares the pages
            case PageRule.Verdict.Broken _
            when counted.getAsLong() == 0 ->
                core.refusal("VM " + core.name() + " is still booting: it prepares its pages");
            case PageRule.Verdict.Broken(var gpa, var found) ->
                checked(new GuestCheck(false, counted.getAsLong(), 0, "at 0x" + Long.toHexString(gpa) + ": " + found));
        };
    }

    private HostReply checked(GuestCheck result) {
        return new HostReply.VmChecked(core.name(), result);
    }

    private static OptionalLong counted(String registers) {
        Matcher r15 = COUNTED.matcher(registers);
        return r15.find() ? OptionalLong.of(Long.parseUnsignedLong(r15.group(1), 16)) : OptionalLong.empty();
    }

    private void delete() {
        try {
            Files.deleteIfExists(core.files.dump());
        } catch (IOException e) {
            core.context.getSystem().log().warn("{}: the dump of its check stays: {}", core.name(), e.getMessage());
        }
    }

    /** Once, and when the guest runs again if it can: who asks next must not find it standing. */
    private void answer() {
        if (answered) {
            return;
        }
        answered = true;
        HostReply result = reply;
        check.replyTo()
                .tell(
                        result != null && failure.isEmpty()
                                ? result
                                : core.refusal("VM " + core.name() + " could not be checked: " + failure));
    }

    private Behavior<Command> resuming() {
        core.step(Step.RUN, core.run(core.epoch()));
        return Behaviors.receiveMessage(command -> switch (command) {
            case Stepped(var step, var error)
            when step == Step.RUN -> {
                if (error.isEmpty()) {
                    yield done();
                }
                answer();
                core.standFailed("it does not run on after a look: " + error, Optional.empty());
                core.timers.startSingleTimer(new Tick(), core.host.settings().ledgerPoll());
                yield Behaviors.same();
            }
            case Tick() -> {
                core.step(Step.RUN, core.run(core.epoch()));
                yield Behaviors.same();
            }
            case Exited(var how) -> exited(how);
            case Asked(HostCommand.DestroyVm destroy)
            when destroy.epoch() >= core.epoch() ->
                core.stash.unstashAll(QemuClosing.quit(
                        core, Optional.empty(), () -> destroy.replyTo().tell(new HostReply.VmGone(core.name()))));
            case Asked asked -> core.later(asked);
            case Polled _ -> polled();
            case Stepped _,
                    QemuVm.Heard _,
                    QemuVm.Launched _,
                    QemuVm.Started _,
                    QemuVm.LedgerSaid _,
                    QemuVm.AskLedger _,
                    QemuVm.Overdue _,
                    QemuVm.Closed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> polled() {
        core.polled();
        return Behaviors.same();
    }

    /** Its process has ended; once answered, the check is not answered again. */
    private Behavior<Command> exited(String how) {
        core.host.runLog().stopped(core.name(), core.epoch());
        core.ended(how);
        failure = failure.isEmpty() ? "QEMU " + how : failure;
        answer();
        return core.stash.unstashAll(QemuRunning.begin(core, told));
    }

    /** How it stands now is asked: it may have stood before, and what it said meanwhile was not heard. */
    private Behavior<Command> done() {
        Behavior<Command> running = QemuRunning.begin(core, told);
        answer();
        core.poll();
        return core.stash.unstashAll(running);
    }
}
