package io.godwit.plan.model;

import java.util.List;

/** What holds between VMs. */
public sealed interface Rule {
    /**
     * No two of them on one host, in flight included: a VM that moves is on both.
     *
     * @param vms at least two
     * @param hard whether it must hold; else breaking it only costs
     */
    record Apart(List<String> vms, boolean hard) implements Rule {
        /** Copies the list. */
        public Apart {
            vms = List.copyOf(vms);
        }
    }

    /**
     * All of them on one host when the plan is done.
     *
     * @param vms at least two
     * @param hard whether it must hold; else breaking it only costs
     */
    record Together(List<String> vms, boolean hard) implements Rule {
        /** Copies the list. */
        public Together {
            vms = List.copyOf(vms);
        }
    }

    /**
     * One starts to move only when the other has arrived; says nothing when one of them does not move.
     *
     * @param first must have arrived
     * @param then before this one starts
     */
    record Before(String first, String then) implements Rule {}
}
