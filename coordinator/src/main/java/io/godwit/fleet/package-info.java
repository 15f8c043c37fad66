/** The coordinator process: what the fleet looks like, the life of a VM, and all that the interfaces may ask. */
@NullMarked
package io.godwit.fleet;

import org.jspecify.annotations.NullMarked;
