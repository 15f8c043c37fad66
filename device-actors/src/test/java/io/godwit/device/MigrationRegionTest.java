package io.godwit.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class MigrationRegionTest {
    private final Deque<byte[]> chunks = new ArrayDeque<>();
    private final Deque<byte[]> taken = new ArrayDeque<>();
    private boolean failing;

    private final MigrationRegion region = new MigrationRegion(
            "nic0",
            new MigrationRegion.Vendor() {
                @Override
                public void enter(int from, int to) throws DeviceException {
                    if (failing) {
                        throw new DeviceException("no");
                    }
                }

                @Override
                public long pending() {
                    return chunks.stream().mapToLong(c -> c.length).sum();
                }

                @Override
                public void fill(ByteBuffer window) {
                    window.put(chunks.remove());
                }

                @Override
                public void consume(ByteBuffer data) {
                    byte[] bytes = new byte[data.remaining()];
                    data.get(bytes);
                    taken.add(bytes);
                }
            },
            8192);

    private long get(int offset) throws DeviceException {
        ByteBuffer value = ByteBuffer.allocate(offset == 0 ? 4 : 8).order(ByteOrder.LITTLE_ENDIAN);
        region.read(offset, value);
        return offset == 0 ? value.getInt(0) : value.getLong(0);
    }

    private void put(int offset, long value) throws DeviceException {
        ByteBuffer bytes = ByteBuffer.allocate(offset == 0 ? 4 : 8).order(ByteOrder.LITTLE_ENDIAN);
        if (offset == 0) {
            bytes.putInt(0, (int) value);
        } else {
            bytes.putLong(0, value);
        }
        region.write(offset, bytes);
    }

    private void state(int... states) throws DeviceException {
        for (int next : states) {
            put(MigrationRegion.DEVICE_STATE, next);
        }
    }

    @Test
    void onlyLegalTransitionsAreTakenAndOthersLeaveTheOldState() throws DeviceException {
        Set<List<Integer>> legal = Set.of(
                List.of(1, 0),
                List.of(1, 2),
                List.of(1, 3),
                List.of(1, 4),
                List.of(3, 2),
                List.of(3, 1),
                List.of(3, 0),
                List.of(2, 0),
                List.of(2, 1),
                List.of(4, 0),
                List.of(4, 1),
                List.of(0, 1),
                List.of(0, 2),
                List.of(0, 4));
        for (int from : new int[] {0, 1, 2, 3, 4}) {
            for (int to = 0; to < 8; to++) {
                region.reset();
                if (from != 1) {
                    state(from);
                }
                if (from == to || legal.contains(List.of(from, to))) {
                    state(to);
                    assertThat(get(0)).isEqualTo(to);
                } else {
                    int wanted = to;
                    assertThatThrownBy(() -> state(wanted))
                            .hasMessage("device nic0 refuses device_state " + to + " while it is " + from);
                    assertThat(get(0)).isEqualTo(from);
                }
            }
        }
    }

    @Test
    void theErrorStateIsLeftByAResetOnly() throws DeviceException {
        region.broken();
        for (int to = 0; to < 8; to++) {
            int wanted = to;
            if (to != 6) {
                assertThatThrownBy(() -> state(wanted)).isInstanceOf(DeviceException.class);
            }
            assertThat(get(0)).isEqualTo(6);
        }
        region.reset();
        assertThat(get(0)).isEqualTo(1);
    }

    @Test
    void aTransitionThatTheDeviceRefusesLeavesTheOldState() throws DeviceException {
        failing = true;
        assertThatThrownBy(() -> state(1)).hasMessage("no");
        assertThat(get(0)).isZero();
    }

    @Test
    void theHigherBitsOfDeviceStateArePreserved() throws DeviceException {
        state(1 | 0x50);
        assertThat(get(0)).isEqualTo(0x51);
    }

    @Test
    void onlyWholeRegistersInTheirOwnWidthAreAccessible() {
        for (int[] access : new int[][] {{0, 8}, {0, 2}, {4, 4}, {8, 4}, {12, 4}, {9, 8}, {16, 4}, {32, 8}}) {
            assertThatThrownBy(() -> region.read(access[0], ByteBuffer.allocate(access[1])))
                    .hasMessageContaining("an access of " + access[1] + " bytes at " + access[0]);
        }
        assertThatThrownBy(() -> put(MigrationRegion.PENDING_BYTES, 1)).hasMessageContaining("can be written");
        assertThatThrownBy(() -> put(MigrationRegion.DATA_OFFSET, 1)).hasMessageContaining("can be written");
    }

    @Test
    void savingFollowsTheOrderAndTheNextReadOfPendingBytesAcknowledges() throws DeviceException {
        chunks.add(new byte[] {1, 2, 3});
        chunks.add(new byte[] {4});
        state(2);
        assertThatThrownBy(() -> get(MigrationRegion.DATA_OFFSET)).hasMessageContaining("before pending_bytes");
        assertThatThrownBy(() -> get(MigrationRegion.DATA_SIZE)).hasMessageContaining("before data_offset");
        assertThat(get(MigrationRegion.PENDING_BYTES)).isEqualTo(4);
        assertThat(get(MigrationRegion.PENDING_BYTES))
                .as("reading it again is harmless")
                .isEqualTo(4);
        assertThatThrownBy(() -> region.read(4096, ByteBuffer.allocate(3))).hasMessageContaining("data_size first");
        assertThat(get(MigrationRegion.DATA_OFFSET)).isEqualTo(4096);
        assertThatThrownBy(() -> get(MigrationRegion.PENDING_BYTES)).hasMessageContaining("was read out");
        assertThat(get(MigrationRegion.DATA_SIZE)).isEqualTo(3);
        assertThatThrownBy(() -> region.read(4096, ByteBuffer.allocate(4))).hasMessageContaining("at most 3");
        ByteBuffer data = ByteBuffer.allocate(3);
        region.read(4096, data.limit(2));
        assertThatThrownBy(() -> get(MigrationRegion.PENDING_BYTES)).hasMessageContaining("was read out");
        region.read(4098, data.limit(3));
        assertThat(data.array()).containsExactly(1, 2, 3);
        assertThat(get(MigrationRegion.PENDING_BYTES)).isEqualTo(1);
    }

    @Test
    void resumingFollowsTheOrderAndDataSizeCommits() throws DeviceException {
        state(4);
        assertThatThrownBy(() -> region.write(4096, ByteBuffer.wrap(new byte[] {1})))
                .hasMessageContaining("data_offset to be read first");
        assertThat(get(MigrationRegion.DATA_OFFSET)).isEqualTo(4096);
        region.write(4096, ByteBuffer.wrap(new byte[] {1, 2}));
        assertThatThrownBy(() -> put(MigrationRegion.DATA_SIZE, 3)).hasMessageContaining("written to the window, 2");
        assertThat(taken).isEmpty();
        put(MigrationRegion.DATA_SIZE, 2);
        assertThat(taken.remove()).containsExactly(1, 2);
        assertThatThrownBy(() -> put(MigrationRegion.DATA_SIZE, 2)).hasMessageContaining("written to the window, 0");
        get(MigrationRegion.DATA_OFFSET);
        assertThatThrownBy(() -> region.write(4096, ByteBuffer.wrap(new byte[8193])))
                .hasMessageContaining("at most 8192");
    }
}
