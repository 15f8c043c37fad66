/** Replays a finished plan, event by event, and says what it breaks. Shares only the model with what made the plan. */
@NullMarked
package io.godwit.plan.check;

import org.jspecify.annotations.NullMarked;
