package io.godwit.fleet;

import java.util.List;

/**
 * What became of the VMs of a host that somebody has seen to be off.
 *
 * @param host the host
 * @param vms one row per VM that the ledger had given to it
 */
public record Fenced(String host, List<Row> vms) {
    public Fenced {
        vms = List.copyOf(vms);
    }

    /**
     * One VM.
     *
     * @param state {@code RESTARTED}: it runs anew from its spec, with empty memory, under a higher epoch; {@code
     *     WAITING}: nobody owns it, and it is started as soon as it can be; {@code LEFT}: nothing was changed
     * @param detail the host that runs it, or why none does yet
     */
    public record Row(String vm, String state, String detail) {}
}
