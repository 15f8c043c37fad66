/** Sizes, rates and times as people type and read them. */
@NullMarked
package io.godwit.units;

import org.jspecify.annotations.NullMarked;
