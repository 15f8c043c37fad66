package io.godwit.migration;

import io.godwit.proto.vm.VmSpec;
import io.godwit.stream.DeviceIdentity;
import io.godwit.stream.Preamble;
import io.godwit.vm.GuestMemory;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What a stream must say of itself to fit the guest that was prepared for it. Pure. */
public final class PreambleCheck {
    private PreambleCheck() {}

    /** The preamble of a VM: made at the source to be sent, at the destination to compare with. */
    public static Preamble of(String migration, VmSpec spec, long epoch, List<DeviceIdentity> devices, boolean verify) {
        return new Preamble(
                migration,
                spec.name(),
                epoch,
                GuestMemory.PAGE_SIZE,
                spec.memoryBytes(),
                spec.vcpus(),
                spec.driver(),
                devices,
                verify);
    }

    /** The first thing that does not fit: what it is, what came, what was expected. */
    public static Optional<String> mismatch(Preamble expected, Preamble found) {
        if (!expected.migration().equals(found.migration())) {
            return differs("migration", found.migration(), expected.migration());
        }
        if (!expected.vm().equals(found.vm())) {
            return differs("VM", found.vm(), expected.vm());
        }
        if (expected.epoch() != found.epoch()) {
            return differs("epoch", found.epoch(), expected.epoch());
        }
        if (expected.pageSize() != found.pageSize()) {
            return differs("page size", found.pageSize(), expected.pageSize());
        }
        if (expected.ramBytes() != found.ramBytes()) {
            return differs("RAM size in bytes", found.ramBytes(), expected.ramBytes());
        }
        if (expected.vcpus() != found.vcpus()) {
            return differs("number of vCPUs", found.vcpus(), expected.vcpus());
        }
        if (!expected.driver().equals(found.driver())) {
            return differs("guest driver", found.driver(), expected.driver());
        }
        if (!Objects.equals(expected.devices(), found.devices())) {
            return differs(
                    "devices (name=model/version, + with pre-copy)", named(found.devices()), named(expected.devices()));
        }
        if (expected.verify() != found.verify()) {
            return differs("verify", found.verify(), expected.verify());
        }
        return Optional.empty();
    }

    private static List<String> named(List<DeviceIdentity> devices) {
        return devices.stream()
                .map(device -> device.name() + "=" + device.model() + (device.preCopy() ? "+" : ""))
                .toList();
    }

    private static Optional<String> differs(String what, Object found, Object expected) {
        return Optional.of("the stream's " + what + " is " + found + ", expected " + expected);
    }
}
