package io.godwit.proto.ownership;

import io.godwit.proto.WireMessage;
import java.util.Optional;

/**
 * What the ledger says of one VM.
 *
 * @param vm the VM
 * @param host who may run it; empty when nobody may (never claimed, or released)
 * @param epoch the current epoch; 0 before the first claim; only grows
 * @param handoff the open handoff, if any: while it is open the owner may have surrendered
 * @param lastSettled the migration whose handoff was settled last, if any
 * @param waiting why nobody may run it though it shall run: it was fenced off, and is to be started anew; empty otherwise
 */
public record OwnershipView(
        String vm,
        Optional<String> host,
        long epoch,
        Optional<Handoff> handoff,
        Optional<String> lastSettled,
        Optional<String> waiting)
        implements WireMessage {
    /** Of a VM that does not wait to be started anew. */
    public OwnershipView(
            String vm, Optional<String> host, long epoch, Optional<Handoff> handoff, Optional<String> lastSettled) {
        this(vm, host, epoch, handoff, lastSettled, Optional.empty());
    }

    /** Whether {@code candidate} holds the grant of the current epoch. */
    public boolean grants(String candidate) {
        return host.isPresent() && host.get().equals(candidate);
    }
}
