package io.godwit.agent;

import static io.godwit.agent.NativeGuests.MIB;
import static io.godwit.agent.NativeGuests.copyAll;
import static io.godwit.agent.NativeGuests.copyDirty;
import static io.godwit.agent.NativeGuests.driver;
import static io.godwit.agent.NativeGuests.runFor;
import static io.godwit.agent.NativeGuests.spec;
import static io.godwit.agent.NativeGuests.total;
import static io.godwit.agent.NativeGuests.violation;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.godwit.memory.DirtyBitmap;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest moved to a second one in the same process by its dirty log and the state of its vCPUs. */
class NativeMigrationTest {
    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void losesAndDoublesNoWriteWhenMovedWhileItRuns(String name) throws Exception {
        for (int vcpus = 1; vcpus <= 4; vcpus++) {
            VmSpec spec = spec(name, 32 * MIB, vcpus, new WorkloadSpec(12 * MIB, 100 * MIB, true));
            try (Guest source = driver(name).create(spec);
                    Guest target = driver(name).createIncoming(spec)) {
                runFor(source, 500);
                source.run();
                DirtyBitmap dirty = new DirtyBitmap(source.memory().pages());
                source.startDirtyLog();
                copyAll(source, target);
                for (int round = 0; round < 5; round++) {
                    source.collectDirty(dirty);
                    copyDirty(dirty, source, target);
                }
                source.pause();
                source.collectDirty(dirty);
                copyDirty(dirty, source, target);
                source.stopDirtyLog();

                moveVcpus(source, target);
                assertThat(source.memory().segment().mismatch(target.memory().segment()))
                        .as("first byte in which the two memories differ")
                        .isEqualTo(-1);
                assertThat(target.writesCounted()).isEqualTo(source.writesCounted());
                assertThat(violation(spec, target)).isEmpty();
                long atHandOver = total(target);
                runFor(target, 2000);
                assertThat(violation(spec, target)).isEmpty();
                assertThat(total(source)).isEqualTo(atHandOver);
                runFor(source, 100); // had it been called off, the source would have gone on
                assertThat(violation(spec, source)).isEmpty();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void theOracleNoticesOneLostWordOfTheDirtyLog(String name) throws Exception {
        Random random = new Random(7);
        VmSpec spec = spec(name, 16 * MIB, 1, new WorkloadSpec(8 * MIB, 0, false));
        try (Guest source = driver(name).create(spec);
                Guest target = driver(name).createIncoming(spec)) {
            for (int i = 0; i < 10; i++) {
                source.startDirtyLog();
                copyAll(source, target);
                runFor(source, 200);
                DirtyBitmap dirty = new DirtyBitmap(source.memory().pages());
                source.collectDirty(dirty);
                long slice = new GuestLayout(spec).slice(0).firstPage();
                long page =
                        dirty.nextSet(slice + random.nextLong(spec.workload().workingSetBytes() / 4096));
                int lost = (int) ((page < 0 ? dirty.nextSet(slice) : page) >>> 6);
                assertThat(dirty.takeWord(lost, -1L)).isNotZero();
                copyDirty(dirty, source, target);
                moveVcpus(source, target);
                assertThat(violation(spec, source)).isEmpty();
                assertThat(violation(spec, target)).isPresent();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"soft", "kvm"})
    void refusesAVcpuStateThatIsDamagedOrOfAnother(String name) throws Exception {
        Random random = new Random(3);
        VmSpec spec = spec(name, 16 * MIB, 2, new WorkloadSpec(8 * MIB, 0, false));
        try (Guest source = driver(name).create(spec);
                Guest target = driver(name).createIncoming(spec)) {
            runFor(source, 100);
            byte[] state = source.saveVcpu(0);
            for (int i = 0; i < 200; i++) {
                byte[] damaged = state.clone();
                damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
                assertThatThrownBy(() -> target.loadVcpu(0, damaged)).isInstanceOf(GuestException.class);
                byte[] cut = Arrays.copyOf(state, random.nextInt(state.length));
                assertThatThrownBy(() -> target.loadVcpu(0, cut)).isInstanceOf(GuestException.class);
            }
            byte[] newer = state.clone();
            newer[4] = 2;
            assertThatThrownBy(() -> target.loadVcpu(0, newer)).hasMessageContaining("format version is 2; expected 1");
            assertThatThrownBy(() -> target.loadVcpu(1, state)).hasMessageContaining("vCPU index is 0; expected 1");
            assertThatThrownBy(target::run).hasMessageContaining("vCPU 0 has no state yet");
            String other = name.equals("soft") ? "kvm" : "soft";
            try (Guest foreign = driver(other).create(spec(other, 16 * MIB, 2, spec.workload()))) {
                assertThatThrownBy(() -> target.loadVcpu(0, foreign.saveVcpu(0)))
                        .hasMessageContaining("comes from driver " + other);
            }
            target.loadVcpu(0, state); // nothing of the above spoiled it
            assertThat(target.saveVcpu(0)).isEqualTo(state);
        }
    }

    /** Equal bytes on both sides: the migration compares digests of them. */
    private static void moveVcpus(Guest source, Guest target) throws GuestException {
        for (int i = 0; i < source.vcpuCount(); i++) {
            byte[] state = source.saveVcpu(i);
            assertThat(source.saveVcpu(i)).isEqualTo(state);
            target.loadVcpu(i, state);
            assertThat(target.saveVcpu(i)).isEqualTo(state);
        }
    }
}
