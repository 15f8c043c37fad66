package io.godwit.agent.qemu;

import io.godwit.agent.qemu.QemuVm.Step;
import io.godwit.agent.qemu.QemuVm.Tick;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Mends a postcopy whose link has broken, from one end. Both ends do it by themselves and need no word from each other: the
 * destination listens again where it listened first (out of band: its main loop may hang on memory that is not there), and
 * the source connects there again until somebody listens. Confined to its guest's actor.
 */
final class QemuRecovery {
    private final QemuCore core;
    private final boolean source;
    private boolean broken;
    private boolean due;

    private QemuRecovery(QemuCore core, boolean source) {
        this.core = core;
        this.source = source;
    }

    /** For the end that the memory comes from. */
    static QemuRecovery ofSource(QemuCore core) {
        return new QemuRecovery(core, true);
    }

    /** For the end that the memory goes to. */
    static QemuRecovery ofDestination(QemuCore core) {
        return new QemuRecovery(core, false);
    }

    /** QEMU stands as {@code figures} say: if the link is broken, it is mended, step by step. */
    void look(QemuFigures figures) {
        if (!figures.postcopyPaused()) {
            broken = false;
            due = false;
            core.timers.cancel(Step.RECOVER);
        } else if (core.migrationUri().isPresent()) {
            if (!broken) {
                broken = true;
                core.context.getLog().warn("{}: the link of its postcopy is broken; mending it", core.name());
                if (source) {
                    // by then the destination listens, and the first connect is the only one
                    later(core.qemu.settings().recoverDelay());
                } else {
                    due = true;
                }
            }
            if (due) {
                due = false;
                core.step(Step.RECOVER, mend(core.migrationUri().get()));
            }
        }
    }

    private void later(Duration delay) {
        core.timers.startSingleTimer(Step.RECOVER, new QemuVm.Overdue(Step.RECOVER), delay);
    }

    private CompletionStage<?> mend(String uri) {
        return source
                ? core.session()
                        .call("migrate", QmpSession.arguments().put("uri", uri).put("resume", true))
                : core.session()
                        .outOfBand("migrate-recover", QmpSession.arguments().put("uri", uri));
    }

    /**
     * The step was answered. A source cannot tell from that whether anybody listens, so it tries again, but not while a connect may
     * still be under way: two of them at once would break what they mend. A destination that listens does not do so
     * anew, or it would drop the source that is just connecting.
     */
    void answered(String error) {
        if (source) {
            later(core.qemu.settings().recoverInterval());
        } else if (!error.isEmpty()) {
            core.context.getLog().warn("{}: it does not listen again: {}", core.name(), error);
            later(core.qemu.settings().recoverDelay());
        }
    }

    /** Time for the next attempt, if it is still broken: QEMU is asked. */
    void again() {
        due = true;
        core.context.getSelf().tell(new Tick());
    }
}
