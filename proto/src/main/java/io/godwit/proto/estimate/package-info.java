/** What a live migration's standstill comes to: the arithmetic that the save path's estimator and the planner share. Pure. */
@NullMarked
package io.godwit.proto.estimate;

import org.jspecify.annotations.NullMarked;
