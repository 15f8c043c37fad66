package io.godwit.vm;

import io.godwit.proto.vm.VmSpec;

/** Makes guests of one kind ({@code kvm}, {@code soft}). Called from data-plane threads: it may block. */
public interface GuestDriver {
    /** Its name as in {@link VmSpec#driver()}. */
    String name();

    /**
     * Makes a guest for the source of its life: RAM mapped and, as {@link GuestLayout} says, filled with the guest
     * program; vCPUs stand still at its first instruction.
     *
     * @throws GuestException when the spec does not fit this driver, or memory or the hypervisor is not to be had
     */
    Guest create(VmSpec spec) throws GuestException;

    /**
     * Makes an empty guest that will be loaded: RAM is zero and prefaulted (the first touch of a page costs about a
     * microsecond, which must not fall into the blackout), vCPUs have no state yet.
     *
     * @throws GuestException as {@link #create}
     */
    Guest createIncoming(VmSpec spec) throws GuestException;
}
