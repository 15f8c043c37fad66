package io.godwit.agent.qemu.workload;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;

/**
 * A guest of one boot sector that dirties memory by the rule that {@link PageRule} checks. It prepares each 4 KiB page from
 * {@link #START_GPA} up to {@code endGpa} (counter 0, its own address, zeros), prints {@link #STARTED} on COM1, and then for
 * ever adds one to the 64-bit counter at the start of each page in turn, printing {@link #MARK} every so many passes. A
 * second {@code STARTED} on a serial console therefore means that it was booted again, and not continued.
 *
 * <p>It boots from a read-only virtio disk, which any number of QEMUs may open at once, on machine types pc and q35. (Disks
 * that are booted need a size that firmware can divide into cylinders, so the image is larger than the sector.) A paced
 * guest polls the ACPI timer between its bursts, so that its rate means the same on every accelerator; it never halts, and
 * keeps its vCPU's thread busy.
 *
 * @param endGpa end of the pages, bytes, a multiple of 4 KiB, at most {@link #END_MAX}. Above the end nothing is touched:
 *     firmware keeps tables in the last few hundred KiB of RAM
 * @param pagesPerSecond most pages written per second, in 100 bursts; 0 for as many as it can
 * @param passesPerMark passes between two marks on the serial console, at least 1
 */
public record BootSectorGuest(long endGpa, int pagesPerSecond, int passesPerMark) {
    /** Where the pages begin, guest physical, bytes. */
    public static final long START_GPA = 1 << 20;

    /** Where they end at the latest, bytes: what the sector's page tables map. */
    public static final long END_MAX = 1L << 31;

    /** Bytes of a page. */
    public static final int PAGE_BYTES = 4096;

    /** Printed once, when all pages are prepared: from then on the rule holds. */
    public static final char STARTED = 'G';

    /** Printed after each so many passes, unless the last character has not gone out yet. */
    public static final char MARK = '.';

    /** Bytes of the disk image, of which the guest is the first 512. */
    public static final int IMAGE_BYTES = 1 << 20;

    /** Of the ACPI timer that paces the guest, Hz (ACPI specification 6.5, 4.8.2.1). */
    private static final long TIMER_HZ = 3_579_545;

    private static final int BURSTS_PER_SECOND = 100;
    private static final long FIRMWARE_BYTES = 2 << 20;

    /** Refuses parameters out of their ranges, by name. */
    public BootSectorGuest {
        if (endGpa <= START_GPA || endGpa > END_MAX || endGpa % PAGE_BYTES != 0) {
            throw new IllegalArgumentException("endGpa is " + endGpa + "; expected a multiple of " + PAGE_BYTES
                    + " over " + START_GPA + " and at most " + END_MAX);
        }
        if (pagesPerSecond < 0) {
            throw new IllegalArgumentException("pagesPerSecond is " + pagesPerSecond + "; expected 0 or more");
        }
        if (passesPerMark < 1) {
            throw new IllegalArgumentException("passesPerMark is " + passesPerMark + "; expected 1 or more");
        }
    }

    /**
     * A guest for a VM's memory and workload.
     *
     * @param memoryBytes the VM's RAM, at least 4 MiB
     * @param workingSetBytes pages it writes, a multiple of 4 KiB; 0 for nearly all of its memory
     * @param dirtyBytesPerSecond how fast, at least 4 KiB; 0 for as fast as it can
     */
    public static BootSectorGuest of(long memoryBytes, long workingSetBytes, long dirtyBytesPerSecond) {
        long rate = dirtyBytesPerSecond / PAGE_BYTES;
        if (dirtyBytesPerSecond < 0 || rate > Integer.MAX_VALUE || (rate == 0 && dirtyBytesPerSecond > 0)) {
            throw new IllegalArgumentException("dirty rate is " + dirtyBytesPerSecond
                    + " bytes/s; expected 0 (as fast as it can), or at least " + PAGE_BYTES);
        }
        BootSectorGuest most = filling(memoryBytes, (int) rate);
        long room = most.endGpa() - START_GPA;
        if (workingSetBytes < 0 || workingSetBytes > room || workingSetBytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException("working set is " + workingSetBytes + " bytes; expected a multiple of "
                    + PAGE_BYTES + ", at most " + room + " in " + memoryBytes + " bytes of memory");
        }
        return workingSetBytes == 0 ? most : paced(START_GPA + workingSetBytes, (int) rate);
    }

    /**
     * A guest that dirties nearly all of its memory and prints about one mark a second when it is paced.
     *
     * @param memoryBytes the VM's RAM, at least 4 MiB; beyond 2 GiB the rest is left alone
     */
    public static BootSectorGuest filling(long memoryBytes, int pagesPerSecond) {
        if (memoryBytes < 2 * FIRMWARE_BYTES) {
            throw new IllegalArgumentException(
                    "memory is " + memoryBytes + " bytes; expected at least " + 2 * FIRMWARE_BYTES);
        }
        long end = Math.min((memoryBytes - FIRMWARE_BYTES) / PAGE_BYTES * PAGE_BYTES, END_MAX);
        return paced(end, pagesPerSecond);
    }

    private static BootSectorGuest paced(long end, int pagesPerSecond) {
        long pages = (end - START_GPA) / PAGE_BYTES;
        return new BootSectorGuest(
                end, pagesPerSecond, pagesPerSecond == 0 ? 64 : (int) Math.max(1, pagesPerSecond / pages));
    }

    /** How many pages the guest writes in each pass. */
    public long pages() {
        return (endGpa - START_GPA) / PAGE_BYTES;
    }

    /** The check of this guest's memory. */
    public PageRule rule() {
        return new PageRule(START_GPA, pages());
    }

    /** The 512 bytes of the boot sector. */
    public byte[] sector() {
        byte[] sector = BootSectorCode.sector();
        long burst = Math.max(1, pagesPerSecond / BURSTS_PER_SECOND);
        BootSectorCode.put(sector, BootSectorCode.END, 4, endGpa);
        BootSectorCode.put(sector, BootSectorCode.BURST_PAGES, 4, burst);
        BootSectorCode.put(
                sector, BootSectorCode.BURST_TICKS, 4, pagesPerSecond == 0 ? 0 : TIMER_HZ * burst / pagesPerSecond);
        BootSectorCode.put(sector, BootSectorCode.MARK_PASSES, 4, passesPerMark);
        return sector;
    }

    /** Writes the disk image to a file that does not exist yet; blocks. */
    public void writeImage(Path image) throws IOException {
        Files.write(
                image, Arrays.copyOf(sector(), IMAGE_BYTES), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /** QEMU's arguments to boot from the image. */
    public static List<String> bootFrom(Path image) {
        // a comma in a value is written twice (qemu(1), -drive)
        return List.of(
                "-drive",
                "if=virtio,format=raw,readonly=on,file=" + image.toString().replace(",", ",,"));
    }
}
