/** Where VMs go: a pure planner over a picture of the fleet. */
@NullMarked
package io.godwit.plan;

import org.jspecify.annotations.NullMarked;
