package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.stream.DeviceIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

class InitialDataTest {
    @Test
    void isCompleteWithTheLastOfTheDevicesThatHaveSome() {
        InitialData data = new InitialData(List.of(
                new DeviceIdentity("gpu0", "gpu/1", true),
                new DeviceIdentity("nic0", "nic/1", false),
                new DeviceIdentity("gpu1", "gpu/1", true)));
        assertThat(data.complete()).isFalse();
        assertThat(data.loaded("gpu1")).isFalse();
        assertThat(data.loaded("gpu1")).as("again").isFalse();
        assertThat(data.loaded("gpu0")).isTrue();
        assertThat(data.complete()).isTrue();
        assertThat(data.loaded("gpu0")).as("said once").isFalse();
    }

    @Test
    void isCompleteFromTheStartWithoutPreCopyDevices() {
        InitialData data = new InitialData(List.of(new DeviceIdentity("nic0", "nic/1", false)));
        assertThat(data.complete()).isTrue();
        assertThat(data.loaded("nic0")).isFalse();
    }
}
