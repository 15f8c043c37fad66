/** When entities write their state down as a whole, so that a recovery need not read every event. */
@NullMarked
package io.godwit.snapshot;

import org.jspecify.annotations.NullMarked;
