package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;
import java.util.List;

/**
 * What one device of a VM saw on one host, in order.
 *
 * @param device name of the device
 * @param model its model and version
 * @param state where it stands, or stood last, by the names of protocol v2
 * @param hooks oldest first; the oldest are forgotten
 */
public record DeviceLog(String device, String model, String state, List<HookSeen> hooks) implements WireMessage {
    public DeviceLog {
        hooks = List.copyOf(hooks);
    }
}
