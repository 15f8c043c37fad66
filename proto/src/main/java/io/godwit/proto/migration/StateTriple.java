package io.godwit.proto.migration;

import io.godwit.proto.WireMessage;

/**
 * (VM run state, migration status, device state) as the save and resume flows publish it.
 *
 * @param vm run state of the VM, such as {@code FINISH_MIGRATE}
 * @param migration migration status, such as {@code DEVICE}
 * @param device device state in the v1 bits' names, such as {@code _RUNNING|_SAVING}; {@code -} for a VM without devices
 */
public record StateTriple(String vm, String migration, String device) implements WireMessage {}
