package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.WriteRule;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ModelRoundTripTest {
    @Test
    void aGpuArrivesWithEqualStateHoweverItChangedWhileItWasCopied() throws DeviceException {
        for (long seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            long bytes = 128L + random.nextInt(3_000_000);
            moves(Machine.gpu(bytes, random.nextInt(50_000_000), random.nextInt(50_000_000)), random);
        }
    }

    @Test
    void aNicArrivesWithEqualStateThroughTheV1Region() throws DeviceException {
        for (long seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            moves(Machine.nic(128L + random.nextInt(400_000)), random);
        }
    }

    @Test
    void aVnicArrivesWithEqualStateAllOfItWhileItStandsStill() throws DeviceException {
        for (long seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            moves(Machine.vnic(128L + random.nextInt(400_000)), random);
        }
    }

    private static void moves(DeviceSpec spec, Random random) throws DeviceException {
        try (Machine source = new Machine(spec);
                Machine target = new Machine(spec)) {
            source.run();
            source.ticker.pass(random.nextInt(200));
            boolean preCopy = source.device.supportsPreCopy();
            if (preCopy) {
                source.walkTo(DeviceState.PRE_COPY);
            }
            target.walkTo(DeviceState.RESUMING);
            ByteBuffer buffer = ByteBuffer.allocateDirect(64 * 1024 + random.nextInt(1 << 20));
            for (int i = preCopy ? random.nextInt(30) : 0; i > 0; i--) {
                if (source.device.read(buffer.clear()) > 0) {
                    target.device.write(buffer.flip());
                }
                source.ticker.pass(random.nextInt(10));
            }
            source.walkTo(DeviceState.STOP_COPY);
            long standing = source.device.dmaWrites();
            source.ticker.pass(50);
            assertThat(source.device.dmaWrites()).as("no DMA after the stop").isEqualTo(standing);
            target.device.loadConfig(source.device.saveConfig());
            while (source.device.read(buffer.clear()) >= 0) {
                target.device.write(buffer.flip());
            }
            assertThat(source.device.stopCopyBytes()).isZero();
            assertThat(target.device.digest()).as("seed for %s", spec).isEqualTo(source.device.digest());
            assertThat(target.device.dmaWrites()).isEqualTo(standing);
            goesOnWhereItStood(spec, source, target);
        }
    }

    /** With the guest's memory copied too, the DMA of the destination continues the rounds of the source. */
    private static void goesOnWhereItStood(DeviceSpec spec, Machine source, Machine target) throws DeviceException {
        target.memory.segment().copyFrom(source.memory.segment());
        target.run();
        target.ticker.pass(100);
        target.walkTo(DeviceState.STOP);
        assertThat(WriteRule.violation(target.memory, target.layout.pinned(spec.name()), target.device.dmaWrites()))
                .isEmpty();
        source.walkTo(DeviceState.STOP);
        source.run();
        source.ticker.pass(100);
        source.walkTo(DeviceState.STOP);
        assertThat(source.device.digest())
                .as("the same time from the same state leads to the same state")
                .isEqualTo(target.device.digest());
    }
}
