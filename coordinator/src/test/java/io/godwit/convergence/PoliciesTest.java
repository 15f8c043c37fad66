package io.godwit.convergence;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import com.typesafe.config.ConfigFactory;
import io.godwit.plan.Pictures;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.VmSpec;
import org.junit.jupiter.api.Test;

class PoliciesTest {
    private final Policies policies = Policies.from(ConfigFactory.load());

    private static Config with(String overrides) {
        return ConfigFactory.parseString(overrides)
                .withFallback(ConfigFactory.load())
                .resolve();
    }

    private static MigrationOptions options(String convergence) {
        return new MigrationOptions(300, true, 0, 20_000, 0, convergence);
    }

    private static VmSpec vm(String convergence, String... models) {
        VmSpec vm = Pictures.vm("x", 64, models);
        return new VmSpec(
                vm.name(),
                vm.driver(),
                vm.memoryBytes(),
                vm.vcpus(),
                vm.workload(),
                vm.devices(),
                vm.blackoutBudgetMs(),
                vm.containers(),
                convergence);
    }

    @Test
    void aVmsOwnPolicyGoesBeforeTheMigrationsWhichGoesBeforeTheDefault() {
        assertThat(policies.of(vm("firm"), options("gentle"))).isEqualTo(policies.named("firm"));
        assertThat(policies.of(vm(""), options("gentle"))).isEqualTo(policies.named("gentle"));
        assertThat(policies.of(vm(""), options(""))).isEqualTo(policies.named("patient"));
        assertThat(policies.of(vm("none"), options("firm"))).isEqualTo(Ladder.NONE);
        assertThat(policies.of(vm("wait:1s, give-up"), options("firm")).text()).isEqualTo("wait:1s, give-up");
    }

    @Test
    void theDefaultHoldsNoVcpuBackAndStaysWithinTheBudget() {
        Ladder byDefault = policies.named("");
        assertThat(byDefault.rungs())
                .noneMatch(rung ->
                        rung.step() instanceof LadderStep.Throttle || rung.step() instanceof LadderStep.StopAndCopy);
        assertThat(byDefault.first(options(""), 700).downtimeCeilingMs()).isEqualTo(700);
    }

    @Test
    void refusesAnUnknownPolicyListingTheKnownOnes() {
        assertThatThrownBy(() -> policies.named("harsh"))
                .hasMessage("no convergence policy 'harsh'; expected one of firm, forced, gentle, none, patient,"
                        + " or a ladder such as wait:10s, throttle:30%:10s, give-up");
        assertThat(policies.fault(vm("harsh"), options("")).orElseThrow())
                .startsWith("vm 'x': no convergence policy 'harsh'");
    }

    @Test
    void refusesPostcopyHoweverItIsNamed() {
        Policies own = Policies.from(with("godwit.coordinator.convergence.policies.late = \"wait:1s, postcopy\""));
        assertThat(own.fault(vm("", "gpu"), options("late")))
                .contains("postcopy is not possible with a VFIO device: vm 'x' has dev-0 (gpu)");
        assertThat(own.fault(vm("postcopy"), options("none")))
                .contains("postcopy is not offered for native guests (driver soft)");
        assertThat(own.fault(vm("none"), options("late"))).isEmpty();
    }

    @Test
    void aWrongConfigurationEndsTheStartNamingTheSetting() {
        assertThatThrownBy(() -> Policies.from(with("godwit.coordinator.convergence.policies.bad = \"wait:soon\"")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("godwit.coordinator.convergence.policies.bad")
                .hasMessageContaining("step 1 'wait:soon'");
        assertThatThrownBy(() -> Policies.from(with("godwit.coordinator.convergence.default = nope")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("godwit.coordinator.convergence.default")
                .hasMessageContaining("no convergence policy 'nope'");
        assertThatThrownBy(() -> Policies.from(with("godwit.coordinator.convergence.policies.wait = \"\"")))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining("'wait' cannot name a policy");
    }
}
