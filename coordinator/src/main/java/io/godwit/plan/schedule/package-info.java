/** When each migration of a batch starts and how much of the links it gets: flat arrays inside, the model's records at the edge. */
@NullMarked
package io.godwit.plan.schedule;

import org.jspecify.annotations.NullMarked;
