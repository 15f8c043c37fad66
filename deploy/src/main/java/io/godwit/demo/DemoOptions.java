package io.godwit.demo;

import io.godwit.proto.vm.QemuSpec;

/**
 * What the demo is asked for.
 *
 * @param hosts number of hosts, at least 2
 * @param vms number of VMs, all on the first host
 * @param memoryBytes RAM of each
 * @param guest {@code auto}, {@code kvm}, {@code soft} or {@code qemu}
 * @param coordinators 1, with a file for a store, or 3 that share a PostgreSQL
 */
public record DemoOptions(int hosts, int vms, long memoryBytes, String guest, int coordinators) {
    /** With one coordinator. */
    public DemoOptions(int hosts, int vms, long memoryBytes, String guest) {
        this(hosts, vms, memoryBytes, guest, 1);
    }

    /** Whether the guests are QEMU's. */
    boolean qemu() {
        return guest.equals(QemuSpec.DRIVER);
    }
}
