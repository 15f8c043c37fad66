/** Leases of VMs that are to be started anew elsewhere when their host is gone. */
@NullMarked
package io.godwit.proto.lease;

import org.jspecify.annotations.NullMarked;
