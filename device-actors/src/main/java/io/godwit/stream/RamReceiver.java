package io.godwit.stream;

import io.godwit.vm.GuestMemory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** Receives RAM runs into guest memory and checks them there. For one thread. */
final class RamReceiver {
    private final ChannelInput input;
    private final GuestMemory memory;
    private final int runPagesMax;
    private final GuestWindows windows;
    private final RamRunHeader run = new RamRunHeader();
    private final CRC32C crc = new CRC32C();

    RamReceiver(ChannelInput input, GuestMemory memory, StreamSettings settings) {
        this.input = input;
        this.memory = memory;
        this.runPagesMax = settings.runPagesMax();
        this.windows = new GuestWindows(memory, runPagesMax * GuestMemory.PAGE_SIZE);
    }

    void run(ByteBuffer header) throws IOException {
        run.read(header);
        long gpa = run.gpa;
        if (run.pages < 1 || run.pages > runPagesMax) {
            throw new StreamException("RAM run of " + run.pages + " pages at " + Framing.hex(gpa) + "; expected 1 to "
                    + runPagesMax + " (godwit.stream.run-pages-max)");
        }
        int bytes = run.pages * GuestMemory.PAGE_SIZE;
        if (gpa < 0 || gpa % GuestMemory.PAGE_SIZE != 0 || gpa > memory.bytes() - bytes) {
            throw new StreamException("RAM run of " + run.pages + " pages at " + Framing.hex(gpa)
                    + "; expected whole pages within RAM of " + Framing.hex(memory.bytes()) + " bytes");
        }
        if (run.zero) {
            for (int offset = 0; offset < bytes; offset += GuestMemory.PAGE_SIZE) {
                ZeroPages.clear(memory.segment(), gpa + offset);
            }
            return;
        }
        crc.reset();
        input.readFully(windows.at(gpa, bytes), crc, "RAM run");
        if ((int) crc.getValue() != run.crc32c) {
            throw new StreamException("checksum of the RAM run of " + run.pages + " pages at " + Framing.hex(gpa)
                    + " is " + Framing.hex((int) crc.getValue()) + "; expected " + Framing.hex(run.crc32c));
        }
    }
}
