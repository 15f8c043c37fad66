package io.godwit.agent.qemu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The monitor against a scripted QEMU; the test owns time. */
class QmpMonitorTest {
    private final ActorTestKit kit = ActorTestKit.create(ManualTime.config().withFallback(ConfigFactory.load()));
    private final ManualTime time = ManualTime.get(kit.system());
    private final QmpSettings settings =
            QmpSettings.from(kit.system().settings().config());
    private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final BlockingQueue<ScriptedQmp> connections = new LinkedBlockingQueue<>();
    private final TestProbe<QmpMonitor.Event> owner = kit.createTestProbe();
    private final TestProbe<QmpMonitor.Reply> replies = kit.createTestProbe();
    private volatile boolean unreachable;
    private ActorRef<QmpMonitor.Command> monitor;

    @BeforeEach
    void connect() {
        monitor = kit.spawn(QmpMonitor.create(
                () -> {
                    if (unreachable) {
                        throw new IOException("QMP socket /run/vm: No such file or directory");
                    }
                    ScriptedQmp link = new ScriptedQmp();
                    connections.add(link);
                    return link;
                },
                threads,
                settings,
                owner.getRef()));
    }

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
        threads.shutdownNow();
    }

    private ScriptedQmp opened() {
        return await().atMost(PATIENCE).until(connections::poll, Objects::nonNull);
    }

    private ScriptedQmp connected() throws Exception {
        ScriptedQmp qemu = opened();
        qemu.greet();
        assertThat(owner.expectMessageClass(QmpMonitor.Connected.class))
                .isEqualTo(new QmpMonitor.Connected(new QmpVersion(7, 2, 22, "Debian 1:7.2"), true));
        return qemu;
    }

    private void ask(String command) {
        monitor.tell(new QmpMonitor.Execute(command, replies.getRef()));
    }

    private void askOob(String command) {
        monitor.tell(new QmpMonitor.Execute(command, JsonNodeFactory.instance.objectNode(), true, replies.getRef()));
    }

    private static String returned(JsonNode command, String value) {
        return "{\"return\": " + value + ", \"id\": \"" + command.path("id").asText() + "\"}";
    }

    @Test
    void answersComeBackToWhoAsked() throws Exception {
        ScriptedQmp qemu = connected();
        ask("query-status");
        qemu.say(returned(qemu.hear(), "{\"status\": \"running\"}"));
        QmpMonitor.Answered answered = replies.expectMessageClass(QmpMonitor.Answered.class);
        assertThat(answered.command()).isEqualTo("query-status");
        assertThat(answered.value().path("status").asText()).isEqualTo("running");
    }

    @Test
    void aRefusalNamesWhatQemuSaid() throws Exception {
        ScriptedQmp qemu = connected();
        ask("migrate-continue");
        qemu.say("{\"id\": \"" + qemu.hear().path("id").asText()
                + "\", \"error\": {\"class\": \"GenericError\", \"desc\": \"Migration not in expected state\"}}");
        assertThat(replies.expectMessageClass(QmpMonitor.Refused.class))
                .isEqualTo(
                        new QmpMonitor.Refused("migrate-continue", "GenericError", "Migration not in expected state"));
    }

    @Test
    void oneOrdinaryCommandIsUnderWayAndOutOfBandOnesGoPastIt() throws Exception {
        ScriptedQmp qemu = connected();
        ask("query-migrate");
        JsonNode first = qemu.hear();
        ask("query-status");
        askOob("query-yank");
        JsonNode second = qemu.hear();
        assertThat(second.path("exec-oob").asText()).isEqualTo("query-yank");
        assertThat(qemu.silent()).isTrue();
        qemu.say(returned(second, "[]"));
        assertThat(replies.receiveMessage().command()).isEqualTo("query-yank");
        qemu.say(returned(first, "{}"));
        assertThat(replies.receiveMessage().command()).isEqualTo("query-migrate");
        assertThat(qemu.hear().path("execute").asText()).isEqualTo("query-status");
    }

    @Test
    void eventsArriveBetweenACommandAndItsAnswer() throws Exception {
        ScriptedQmp qemu = connected();
        ask("cont");
        JsonNode cont = qemu.hear();
        qemu.say("{\"timestamp\": {\"seconds\": 2, \"microseconds\": 3}, \"event\": \"RESUME\"}");
        qemu.say(returned(cont, "{}"));
        QmpMonitor.Happened happened = owner.expectMessageClass(QmpMonitor.Happened.class);
        assertThat(happened.event().name()).isEqualTo("RESUME");
        assertThat(happened.event().micros()).isEqualTo(2_000_003);
        assertThat(replies.receiveMessage().command()).isEqualTo("cont");
    }

    @Test
    void aLineThatIsNoMessageDoesNoHarm() throws Exception {
        ScriptedQmp qemu = connected();
        qemu.say("warning: something on the wrong stream");
        qemu.say("{\"return\": {}, \"id\": \"never-asked\"}");
        ask("query-status");
        qemu.say(returned(qemu.hear(), "{\"status\": \"a-status-of-the-future\", \"more\": 1}"));
        replies.expectMessageClass(QmpMonitor.Answered.class);
    }

    @Test
    void aHungMainLoopIsToldInTimeAndOutOfBandCommandsStillGo() throws Exception {
        ScriptedQmp qemu = connected();
        ask("query-migrate");
        JsonNode hung = qemu.hear();
        time.timePasses(settings.commandTimeout());
        QmpMonitor.Unanswered late = replies.expectMessageClass(QmpMonitor.Unanswered.class);
        assertThat(late.sent()).isTrue();
        assertThat(late.reason()).contains(settings.commandTimeout().toMillis() + " ms");
        askOob("yank");
        qemu.say(returned(qemu.hear(), "{}"));
        assertThat(replies.receiveMessage().command()).isEqualTo("yank");
        // the answer that comes after all goes to nobody, and frees the way
        ask("query-status");
        assertThat(qemu.silent()).isTrue();
        qemu.say(returned(hung, "{}"));
        assertThat(qemu.hear().path("execute").asText()).isEqualTo("query-status");
    }

    @Test
    void aBrokenLinkIsToldToAllWhoWaitedAndIsOpenedAgain() throws Exception {
        ScriptedQmp qemu = connected();
        ask("migrate");
        qemu.hear();
        qemu.hangUp();
        QmpMonitor.Unanswered unknown = replies.expectMessageClass(QmpMonitor.Unanswered.class);
        assertThat(unknown.sent()).isTrue();
        assertThat(owner.expectMessageClass(QmpMonitor.Disconnected.class).reason())
                .contains("closed");
        ask("query-migrate");
        time.timePasses(settings.reconnectInterval());
        ScriptedQmp again = connected();
        assertThat(again.hear().path("execute").asText()).isEqualTo("query-migrate");
        assertThat(qemu.closed()).isTrue();
    }

    @Test
    void aSocketThatIsNotThereIsTriedAgain() throws Exception {
        ScriptedQmp first = connected();
        unreachable = true;
        first.hangUp();
        owner.expectMessageClass(QmpMonitor.Disconnected.class);
        ask("query-status");
        time.timePasses(settings.commandTimeout());
        assertThat(replies.expectMessageClass(QmpMonitor.Unanswered.class).sent())
                .isFalse();
        unreachable = false;
        // an attempt that failed may not have been heard of yet: the next is a while after that
        await().atMost(PATIENCE).until(() -> {
            time.timePasses(settings.reconnectInterval());
            return !connections.isEmpty();
        });
        connected();
    }

    @Test
    void aSilentServerIsNotWaitedForForEver() throws Exception {
        ScriptedQmp mute = opened();
        // the timer runs from the moment the link is open, which the actor learns after the test did
        while (!mute.closed()) {
            time.timePasses(settings.handshakeTimeout());
        }
        assertThat(owner.expectMessageClass(QmpMonitor.Disconnected.class).reason())
                .contains("greeting");
    }

    @Test
    void tooManyCommandsAreRefusedAtOnce() throws Exception {
        ScriptedQmp qemu = connected();
        for (int i = 0; i < settings.waitingMax() + 2; i++) {
            ask("query-status");
        }
        QmpMonitor.Unanswered refused = replies.expectMessageClass(QmpMonitor.Unanswered.class);
        assertThat(refused.sent()).isFalse();
        assertThat(refused.reason()).contains("wait already");
        qemu.hear();
    }
}
