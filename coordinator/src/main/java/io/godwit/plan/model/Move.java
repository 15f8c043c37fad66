package io.godwit.plan.model;

/**
 * One migration to be scheduled. A VM that goes through an intermediate host has several, in order.
 *
 * @param vm the VM
 * @param from host it leaves
 * @param to host it goes to
 */
public record Move(String vm, String from, String to) {}
