/** Where VMs go when their hosts are emptied: packing under hard constraints, making room, and saying why not. */
@NullMarked
package io.godwit.plan.place;

import org.jspecify.annotations.NullMarked;
