package io.godwit.agent.kvm;

import io.godwit.agent.guest.HostRam;
import io.godwit.agent.guest.VcpuThreads;
import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import java.util.List;
import java.util.Optional;

/** A guest on KVM. */
final class KvmGuest implements Guest {
    private final String name;
    private final HostRam ram;
    private final KvmVm vm;
    private final List<KvmVcpu> vcpus;
    private final VcpuThreads threads;

    KvmGuest(String name, HostRam ram, KvmVm vm, List<KvmVcpu> vcpus, VcpuThreads threads) {
        this.name = name;
        this.ram = ram;
        this.vm = vm;
        this.vcpus = List.copyOf(vcpus);
        this.threads = threads;
    }

    @Override
    public String driver() {
        return KvmDriver.NAME;
    }

    @Override
    public GuestMemory memory() {
        return ram.memory();
    }

    @Override
    public int vcpuCount() {
        return vcpus.size();
    }

    @Override
    public void run() throws GuestException {
        for (int i = 0; i < vcpus.size(); i++) {
            requireState(i, "run");
        }
        threads.run();
    }

    @Override
    public void pause() throws GuestException {
        threads.pause();
    }

    @Override
    public void throttle(int percent) {
        threads.throttle(percent);
    }

    @Override
    public void startDirtyLog() throws GuestException {
        vm.startLog();
    }

    @Override
    public void stopDirtyLog() throws GuestException {
        vm.stopLog();
    }

    @Override
    public long collectDirty(DirtyBitmap into) throws GuestException {
        return vm.collect(into);
    }

    @Override
    public byte[] saveVcpu(int index) throws GuestException {
        threads.requirePaused("save vCPU " + index);
        requireState(index, "save vCPU " + index);
        return vcpus.get(index).save();
    }

    @Override
    public void loadVcpu(int index, byte[] state) throws GuestException {
        threads.requirePaused("load vCPU " + index);
        vcpus.get(index).load(state);
    }

    @Override
    public long[] writesCounted() throws GuestException {
        threads.requirePaused("read the counts");
        long[] counts = new long[vcpus.size()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = vcpus.get(i).hasState() ? vcpus.get(i).count() : 0;
        }
        return counts;
    }

    @Override
    public Optional<String> failure() {
        return threads.failure();
    }

    /** In this order: threads, then what they run on, then the memory that the kernel writes through. */
    @Override
    public void close() {
        threads.end();
        vcpus.forEach(KvmVcpu::close);
        vm.close();
        ram.close();
    }

    private void requireState(int index, String what) throws GuestException {
        if (!vcpus.get(index).hasState()) {
            throw new GuestException(
                    "VM " + name + ": cannot " + what + ": vCPU " + index + " has no state yet; load it first");
        }
    }
}
