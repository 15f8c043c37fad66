/** Runs migrations on a virtual clock as a policy starts them, ours or a peer's, with links shared fairly and durations that vary. */
@NullMarked
package io.godwit.plan.simulate;

import org.jspecify.annotations.NullMarked;
