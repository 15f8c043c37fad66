/** A finished plan as a page of HTML that needs nothing else: when each VM moves, and how full the links are. */
@NullMarked
package io.godwit.plan.page;

import org.jspecify.annotations.NullMarked;
