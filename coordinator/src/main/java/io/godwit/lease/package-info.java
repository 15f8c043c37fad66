/** Leases: how it becomes certain that a VM does not run any more on a host that nobody can ask. */
@NullMarked
package io.godwit.lease;

import org.jspecify.annotations.NullMarked;
