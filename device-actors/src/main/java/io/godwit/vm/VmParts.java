package io.godwit.vm;

import io.godwit.device.Device;
import io.godwit.memory.MemoryContainer;
import io.godwit.proto.vm.VmSpec;
import java.util.SequencedMap;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a Vm actor lends to the paths and changes it spawns: the guest, its devices in slot order and containers by name,
 * where blocking work runs, and where runs are recorded.
 */
public record VmParts(
        VmSpec spec,
        Guest guest,
        SequencedMap<String, ActorRef<Device.Command>> devices,
        SequencedMap<String, ActorRef<MemoryContainer.Command>> containers,
        Executor dataPlane,
        RunLog runLog) {}
