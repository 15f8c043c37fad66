package io.godwit.plan;

import java.util.Optional;

/**
 * One VM of a plan.
 *
 * @param vm the VM
 * @param from host it leaves
 * @param to host it goes to; empty when there is none
 * @param reason without a destination: what the VM needs and, host by host, why that is not there
 */
public record Placement(String vm, String from, Optional<String> to, Optional<String> reason) {}
