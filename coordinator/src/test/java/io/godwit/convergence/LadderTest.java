package io.godwit.convergence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.plan.Pictures;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.QemuSpec;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LadderTest {
    private static final MigrationOptions OPTIONS = new MigrationOptions(300, true, 1 << 20, 20_000);

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "wait:10s, bandwidth:unlimited:10s, throttle:30%:10s, throttle:99%:1500ms, downtime:budget:10s, give-up",
                "bandwidth:1536MiB/s:1s, downtime:450ms:2s, stop-and-copy",
                "wait:10s, downtime:budget",
                "wait:1ms, throttle:1%:1ms",
                "postcopy"
            })
    void readsAndWritesItsTextForm(String text) {
        assertThat(Ladder.parse(text).text()).isEqualTo(text);
        assertThat(Ladder.parse(Ladder.parse(text).text())).isEqualTo(Ladder.parse(text));
    }

    @Test
    void readsStepsAsPeopleWriteThem() {
        assertThat(Ladder.parse(" wait: 10 s,downtime:0.5s:10s ,bandwidth : 1 GiB ")
                        .rungs())
                .containsExactly(
                        new Rung(new LadderStep.Wait(), 10_000),
                        new Rung(new LadderStep.Downtime(500), 10_000),
                        new Rung(new LadderStep.Bandwidth(1 << 30), Rung.UNTIL_DEADLINE));
        assertThat(Ladder.parse("   ")).isEqualTo(Ladder.NONE);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "wait:10s, speed:10s | step 2 'speed:10s' | is no step; expected one of wait:TIME",
                "wait:10s,, give-up | step 2 '' | is no step",
                "wait:10 | step 1 'wait:10' | '10' is not a time; expected a time in ms or s",
                "wait:0s | step 1 'wait:0s' | a hold time of 0 ms; expected 1ms or more",
                "wait, give-up | step 1 'wait' | no hold time, which only the last step may leave out; expected one such as"
                        + " wait:10s",
                "throttle:10s | step 1 'throttle:10s' | by '10s'; expected 1% to 99%",
                "throttle:100%:1s | step 1 'throttle:100%:1s' | by '100%'; expected 1% to 99%",
                "throttle:0%:1s | step 1 'throttle:0%:1s' | expected 1% to 99%",
                "throttle | step 1 'throttle' | says not how much; expected one of",
                "bandwidth:fast:10s | step 1 'bandwidth:fast:10s' | 'fast' is not a rate; expected a size per second",
                "bandwidth:12:10s | step 1 'bandwidth:12:10s' | too slow to make progress; expected unlimited, or 1MiB/s",
                "downtime:0ms:10s | step 1 'downtime:0ms:10s' | a limit of 0 ms; expected 1ms or more",
                "downtime:budget:1s:2s | step 1 'downtime:budget:1s:2s' | too many parts; expected nothing after the hold",
                "give-up, wait:1s | step 1 'give-up' | ends a ladder; expected it as the last step",
                "wait:1s, stop-and-copy:3s | step 2 'stop-and-copy:3s' | takes nothing after its name"
            })
    void refusesWhatIsNoLadderNamingTheStepAndWhatWasExpected(String text, String step, String expected) {
        assertThatThrownBy(() -> Ladder.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(step)
                .hasMessageContaining(expected);
    }

    @Test
    void refusesALadderThatNobodyCouldClimb() {
        String text = IntStream.range(0, 101).mapToObj(_ -> "wait:1s").collect(Collectors.joining(","));
        assertThatThrownBy(() -> Ladder.parse(text)).hasMessageContaining("101 steps; expected at most 100");
    }

    @Test
    void refusesPostcopyForAVmWithAVfioDeviceNamingIt() {
        assertThat(Ladder.parse("wait:1s, postcopy").refusal(Pictures.vm("x", 64, "gpu", "nic")))
                .contains("postcopy is not possible with a VFIO device: vm 'x' has dev-0 (gpu), dev-1 (nic)");
    }

    private static VmSpec postcopiable() {
        QemuSpec none = QemuSpec.DEFAULT;
        return Pictures.vm("x", "qemu", 64)
                .withQemu(new QemuSpec(
                        "",
                        "auto",
                        none.disks(),
                        none.nics(),
                        none.kernel(),
                        none.initrd(),
                        "",
                        List.of("postcopy-ram"),
                        none.arguments(),
                        none.adopt()));
    }

    @Test
    void postcopyIsAStepThatChangesThatAloneAndOnce() {
        SaveLimits before = new SaveLimits(0, 300, 300, 7, 30, false);
        SaveLimits after = new LadderStep.Postcopy().raise(before, 1000).orElseThrow();
        assertThat(after).isEqualTo(new SaveLimits(0, 300, 300, 7, 30, false, true));
        assertThat(new LadderStep.Postcopy().raise(after, 1000)).isEmpty();
        assertThat(new LadderStep.Throttle(50).raise(after, 1000).orElseThrow().postcopy())
                .isTrue();
    }

    @Test
    void doesNotOfferPostcopyForNativeGuestsWithoutOne() {
        assertThat(Ladder.parse("postcopy").refusal(Pictures.vm("x", "kvm", 64)))
                .contains("postcopy is not offered for native guests (driver kvm)");
        assertThat(Ladder.parse("postcopy").refusal(Pictures.vm("x", "qemu", 64)))
                .contains("postcopy needs the migration capability postcopy-ram, which vm 'x' has not been given");
        assertThat(Ladder.parse("postcopy").refusal(postcopiable())).isEmpty();
        assertThat(Ladder.parse("wait:1s, stop-and-copy").refusal(Pictures.vm("x", 64, "gpu")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | 1000 | 300",
                "wait:1s, throttle:50%:1s, give-up | 1000 | 300",
                "wait:1s, downtime:700ms:1s, give-up | 1000 | 700",
                "downtime:700ms:1s, downtime:budget:1s | 1000 | 1000",
                "downtime:700ms:1s | 500 | 500",
                "downtime:budget | 200 | 200",
                "wait:1s, stop-and-copy | 1000 | 9223372036854775807",
                "wait:1s, postcopy | 1000 | 9223372036854775807"
            })
    void tellsTheSourceTheHighestLimitThatTheLadderCanReach(String text, long budgetMs, long ceilingMs) {
        SaveLimits first = Ladder.parse(text).first(OPTIONS, budgetMs);
        assertThat(first.downtimeCeilingMs()).isEqualTo(ceilingMs);
        assertThat(first.downtimeLimitMs()).isEqualTo(Math.min(300, budgetMs));
        assertThat(first.revision()).isZero();
    }
}
