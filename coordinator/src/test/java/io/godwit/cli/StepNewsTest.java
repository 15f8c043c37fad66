package io.godwit.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.api.FakeCoordinator;
import org.junit.jupiter.api.Test;

class StepNewsTest {
    private final StepNews news = new StepNews();

    @Test
    void tellsEachStepOncePerMigration() {
        assertThat(news.of(FakeCoordinator.climbed("m-1", "vm-1")))
                .containsExactly(
                        "vm-1: wait: the guest dirties 2 GiB/s", "vm-1: throttle:30%: the guest dirties 1 GiB/s");
        assertThat(news.of(FakeCoordinator.climbed("m-1", "vm-1"))).isEmpty();
        assertThat(news.of(FakeCoordinator.climbed("m-2", "vm-1"))).hasSize(2);
    }
}
