/** The {@code kvm} guest driver: vCPUs of the Linux kernel through Java's foreign function API. */
@NullMarked
package io.godwit.agent.kvm;

import org.jspecify.annotations.NullMarked;
