package io.godwit.proto;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.host.QemuAbility;
import io.godwit.proto.host.QemuAbility.Missing;
import io.godwit.proto.vm.QemuSpec;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class QemuAbilityTest {
    private final QemuAbility ability = new QemuAbility(
            "7.2.22", List.of("pc", "pc-i440fx-7.2"), List.of("qemu64", "Skylake-Server"), List.of("tcg"), true);

    private static QemuSpec spec(String machine, String accelerator, String... arguments) {
        return new QemuSpec(
                machine,
                accelerator,
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                "",
                List.of(),
                List.of(arguments),
                Optional.empty());
    }

    @Test
    void nothingIsMissingForWhatIsThereOrLeftToTheHost() {
        assertThat(ability.missing(QemuSpec.DEFAULT)).isEmpty();
        assertThat(ability.missing(spec("pc-i440fx-7.2,usb=off", "tcg", "-cpu", "Skylake-Server,-avx2")))
                .isEmpty();
    }

    @Test
    void eachThingThatIsMissingIsNamed() {
        assertThat(ability.missing(spec("pc-q35-9.2", "kvm", "-cpu", "EPYC-Genoa,+ssse3")))
                .containsExactly(
                        new Missing("machine type pc-q35-9.2", "has QEMU 7.2.22 without machine type pc-q35-9.2"),
                        new Missing("CPU model EPYC-Genoa", "has QEMU 7.2.22 without CPU model EPYC-Genoa"),
                        new Missing("accelerator kvm", "has no /dev/kvm that works"));
    }

    @Test
    void postcopyNeedsTheKernelsHelp() {
        QemuSpec given = new QemuSpec(
                "",
                "tcg",
                List.of(),
                List.of(),
                Optional.empty(),
                Optional.empty(),
                "",
                List.of("postcopy-ram"),
                List.of(),
                Optional.empty());
        assertThat(ability.missing(given)).isEmpty();
        assertThat(new QemuAbility("7.2.22", List.of(), List.of(), List.of("tcg"), false).missing(given))
                .containsExactly(new Missing("postcopy", "has no userfaultfd that works"));
    }

    @Test
    void theLastCpuNamedIsTheOneThatQemuTakes() {
        assertThat(spec("", "tcg", "-cpu", "a", "-cpu", "b,+x").cpu()).contains("b");
        assertThat(spec("", "tcg", "-cpu").cpu()).isEmpty();
    }
}
