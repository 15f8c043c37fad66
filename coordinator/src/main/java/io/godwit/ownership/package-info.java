/** The ledger of who may run a VM: one durable register per VM. */
@NullMarked
package io.godwit.ownership;

import org.jspecify.annotations.NullMarked;
