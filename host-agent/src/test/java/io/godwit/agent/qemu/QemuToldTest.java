package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What QEMU hears, and what it does not hear again; its answers are the test's. */
class QemuToldTest {
    private static final List<String> CAPABILITIES = List.of("events", "return-path");

    private final ActorTestKit kit = ActorTestKit.create("told", ConfigFactory.load());
    private final TestProbe<QmpMonitor.Command> monitor = kit.createTestProbe("monitor", QmpMonitor.Command.class);
    private final QmpSession session = new QmpSession(
            monitor.ref(),
            monitor.ref(),
            QmpSettings.from(ConfigFactory.load()),
            kit.system().scheduler());
    private final QemuTold told = new QemuTold(false);

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    private static ObjectNode bandwidth(long bytes, long limitMs) {
        return QmpSession.arguments().put("max-bandwidth", bytes).put("downtime-limit", limitMs);
    }

    private QmpMonitor.Execute asked(String command) {
        QmpMonitor.Execute execute = monitor.expectMessageClass(QmpMonitor.Execute.class);
        assertThat(execute.command()).isEqualTo(command);
        return execute;
    }

    private static void answer(QmpMonitor.Execute execute) {
        execute.replyTo().tell(new QmpMonitor.Answered(execute.command(), JsonNodeFactory.instance.objectNode()));
    }

    private static void done(CompletionStage<?> stage) throws Exception {
        stage.toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private void tell(CompletionStage<?> stage, String command) throws Exception {
        answer(asked(command));
        done(stage);
    }

    /** Done before anybody could have answered. */
    private static void nothingToTell(CompletionStage<?> stage) {
        assertThat(stage.toCompletableFuture()).isCompleted();
    }

    @Test
    void whatItHasIsNotToldAgain() throws Exception {
        tell(told.capabilities(session, CAPABILITIES), "migrate-set-capabilities");
        tell(told.parameters(session, bandwidth(100, 1)), "migrate-set-parameters");
        nothingToTell(told.capabilities(session, List.of("events")));
        nothingToTell(told.parameters(session, bandwidth(100, 1)));
        nothingToTell(told.parameters(session, QmpSession.arguments().put("max-bandwidth", 100L)));
    }

    @Test
    void oneThatDiffersIsTold() throws Exception {
        tell(told.capabilities(session, CAPABILITIES), "migrate-set-capabilities");
        tell(told.capabilities(session, List.of("events", "multifd")), "migrate-set-capabilities");
        tell(told.parameters(session, bandwidth(100, 1)), "migrate-set-parameters");
        tell(told.parameters(session, bandwidth(100, 300)), "migrate-set-parameters");
        tell(told.parameters(session, bandwidth(100, 1)), "migrate-set-parameters");
    }

    @Test
    void whatWasRefusedIsToldAgain() throws Exception {
        CompletionStage<?> refused = told.parameters(session, bandwidth(100, 1));
        asked("migrate-set-parameters")
                .replyTo()
                .tell(new QmpMonitor.Refused("migrate-set-parameters", "GenericError", "no such parameter"));
        assertThat(refused.toCompletableFuture()).failsWithin(Duration.ofSeconds(10));
        tell(told.parameters(session, bandwidth(100, 1)), "migrate-set-parameters");
    }

    @Test
    void anAnswerThatWasOvertakenByAnotherWordCountsForNothing() throws Exception {
        CompletionStage<?> first = told.parameters(session, bandwidth(100, 1));
        QmpMonitor.Execute firstAsked = asked("migrate-set-parameters");
        CompletionStage<?> second = told.parameters(session, bandwidth(200, 1));
        QmpMonitor.Execute secondAsked = asked("migrate-set-parameters");
        answer(firstAsked);
        done(first);
        CompletionStage<?> third = told.parameters(session, bandwidth(100, 1));
        QmpMonitor.Execute thirdAsked = asked("migrate-set-parameters");
        answer(secondAsked);
        answer(thirdAsked);
        done(second);
        done(third);
        nothingToTell(told.parameters(session, bandwidth(100, 1)));
    }

    @Test
    void somebodyElsesQemuIsToldEachTime() throws Exception {
        QemuTold foreign = new QemuTold(true);
        tell(foreign.capabilities(session, CAPABILITIES), "migrate-set-capabilities");
        tell(foreign.capabilities(session, CAPABILITIES), "migrate-set-capabilities");
        tell(foreign.parameters(session, bandwidth(100, 1)), "migrate-set-parameters");
        tell(foreign.parameters(session, bandwidth(100, 1)), "migrate-set-parameters");
    }
}
