package io.godwit.vm;

import com.typesafe.config.Config;
import io.godwit.device.DeviceException;
import io.godwit.device.VfioDevice;
import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import io.godwit.stream.DeviceIdentity;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;

/** The parts of one VM before any actor owns them: guest, containers, devices. Made and closed on the data plane. */
record VmBuilder(
        VmSpec spec,
        Guest guest,
        SequencedMap<String, IommuSpace> containers,
        SequencedMap<String, VfioDevice> devices,
        List<DeviceIdentity> identities) {

    /** Makes all of it, or nothing: what was made is closed again when something fails. */
    static VmBuilder build(VmHost host, GuestDriver driver, VmSpec spec, boolean incoming, Config config)
            throws GuestException, DeviceException {
        GuestLayout layout;
        try {
            layout = new GuestLayout(spec);
        } catch (IllegalArgumentException e) {
            throw new GuestException(String.valueOf(e.getMessage()), e);
        }
        Guest guest = incoming ? driver.createIncoming(spec) : driver.create(spec);
        SequencedMap<String, IommuSpace> containers = new LinkedHashMap<>();
        SequencedMap<String, VfioDevice> devices = new LinkedHashMap<>();
        List<DeviceIdentity> identities = new ArrayList<>();
        VmBuilder built = new VmBuilder(spec, guest, containers, devices, identities);
        try {
            for (DeviceSpec device : spec.devices()) {
                IommuSpace space = containers.computeIfAbsent(
                        device.container(),
                        name -> IommuSpace.of(
                                name, guest.memory(), layout.container(name).viommu(), config));
                VfioDevice made = host.models().create(device, layout, space, host.ticker());
                devices.put(device.name(), made);
                identities.add(new DeviceIdentity(device.name(), made.model(), made.supportsPreCopy()));
            }
            return built;
        } catch (DeviceException | RuntimeException e) {
            built.close();
            throw e;
        }
    }

    /** Checks the guest program's rule and every device's, all of them standing still. */
    GuestCheck check() throws GuestException {
        GuestLayout layout = new GuestLayout(spec);
        long[] writes = guest.writesCounted();
        long guestWrites = 0;
        for (int i = 0; i < writes.length; i++) {
            guestWrites += writes[i];
        }
        long dmaWrites =
                devices.values().stream().mapToLong(VfioDevice::dmaWrites).sum();
        for (int i = 0; i < writes.length; i++) {
            Optional<String> violation = WriteRule.violation(guest.memory(), layout.slice(i), writes[i]);
            if (violation.isPresent()) {
                return new GuestCheck(false, guestWrites, dmaWrites, "vCPU " + i + ": " + violation.get());
            }
        }
        for (var device : devices.entrySet()) {
            Optional<String> violation = WriteRule.violation(
                    guest.memory(),
                    layout.pinned(device.getKey()),
                    device.getValue().dmaWrites());
            if (violation.isPresent()) {
                return new GuestCheck(
                        false, guestWrites, dmaWrites, "device " + device.getKey() + ": " + violation.get());
            }
        }
        return new GuestCheck(
                true,
                guestWrites,
                dmaWrites,
                writes.length + " vCPU slices and " + devices.size() + " devices: every counter as counted");
    }

    /** Frees all of it: devices first, for their engines touch the guest's memory. */
    void close() {
        devices.values().forEach(VfioDevice::close);
        guest.close();
    }
}
