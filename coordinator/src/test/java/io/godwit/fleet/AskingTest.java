package io.godwit.fleet;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.ConfigFactory;
import io.godwit.fleet.CoordinatorException.Unavailable;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class AskingTest {
    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Duration AGAIN = Duration.ofSeconds(2);

    private record Question(ActorRef<String> replyTo) {}

    private final ActorTestKit kit = ActorTestKit.create(ManualTime.config()
            .withFallback(ConfigFactory.parseString("pekko.actor.provider = local"))
            .withFallback(ConfigFactory.load()));
    private final ManualTime time = ManualTime.get(kit.system());
    private final TestProbe<Question> asked = kit.createTestProbe();
    private final CompletableFuture<String> answer = new Asking(kit.system())
            .<Question, String>askAgain(asked.ref(), Question::new, LIMIT, AGAIN, "the oracle")
            .toCompletableFuture();

    @AfterEach
    void stop() {
        kit.shutdownTestKit();
    }

    @Test
    void aQuestionThatIsLostIsAskedAnew() {
        asked.receiveMessage();
        time.timePasses(AGAIN.minusMillis(1));
        asked.expectNoMessage(Duration.ZERO);
        time.timePasses(Duration.ofMillis(1));
        asked.receiveMessage().replyTo().tell("yes");
        assertThat(answer.join()).isEqualTo("yes");
    }

    @Test
    void nobodyWaitsLongerThanTheLimit() {
        asked.receiveMessage();
        time.timePasses(AGAIN);
        asked.receiveMessage();
        time.timePasses(AGAIN);
        asked.receiveMessage();
        time.timePasses(LIMIT.minus(AGAIN).minus(AGAIN));
        assertThatThrownBy(answer::join)
                .hasCauseInstanceOf(Unavailable.class)
                .hasMessageContaining("the oracle did not answer within 5000 ms");
        asked.expectNoMessage(Duration.ZERO);
    }
}
