/** Who may run a VM: the questions put to the ledger and its answers. */
@NullMarked
package io.godwit.proto.ownership;

import org.jspecify.annotations.NullMarked;
