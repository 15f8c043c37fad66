package io.godwit.agent.soft;

import io.godwit.agent.guest.HostRam;
import io.godwit.agent.guest.VcpuThreads;
import io.godwit.memory.DirtyBitmap;
import io.godwit.vm.Guest;
import io.godwit.vm.GuestException;
import io.godwit.vm.GuestMemory;
import java.util.List;
import java.util.Optional;

/** A guest whose vCPUs are Java threads. */
final class SoftGuest implements Guest {
    private final String vm;
    private final HostRam ram;
    private final SoftDirtyLog log;
    private final List<SoftVcpu> vcpus;
    private final VcpuThreads threads;

    SoftGuest(String vm, HostRam ram, SoftDirtyLog log, List<SoftVcpu> vcpus, VcpuThreads threads) {
        this.vm = vm;
        this.ram = ram;
        this.log = log;
        this.vcpus = List.copyOf(vcpus);
        this.threads = threads;
    }

    @Override
    public String driver() {
        return SoftDriver.NAME;
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
    public void startDirtyLog() {
        log.start();
    }

    @Override
    public void stopDirtyLog() {
        log.stop();
    }

    @Override
    public long collectDirty(DirtyBitmap into) throws GuestException {
        if (!log.isOn()) {
            throw new GuestException("VM " + vm + ": cannot collect dirty pages: the dirty log is off; start it first");
        }
        return log.collect(into);
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
        return vcpus.stream().mapToLong(SoftVcpu::count).toArray();
    }

    @Override
    public Optional<String> failure() {
        return threads.failure();
    }

    @Override
    public void close() {
        threads.end();
        ram.close();
    }

    private void requireState(int index, String what) throws GuestException {
        if (!vcpus.get(index).hasState()) {
            throw new GuestException(
                    "VM " + vm + ": cannot " + what + ": vCPU " + index + " has no state yet; load it first");
        }
    }
}
