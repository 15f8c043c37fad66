/** Reads fleets to plan for from files: our own YAML and JSON, BtrPlace's JSON, Ganeti's text. */
@NullMarked
package io.godwit.plan.load;

import org.jspecify.annotations.NullMarked;
