/** The host's side of leases: which VMs may run here, and until when. */
@NullMarked
package io.godwit.agent.lease;

import org.jspecify.annotations.NullMarked;
