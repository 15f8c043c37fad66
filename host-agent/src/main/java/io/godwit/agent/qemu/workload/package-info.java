/**
 * What runs inside a QEMU guest when we are the ones who choose: a boot sector that dirties memory by a rule, and the check
 * of that rule from outside.
 */
@NullMarked
package io.godwit.agent.qemu.workload;

import org.jspecify.annotations.NullMarked;
