/** A whole fleet on one machine, to watch an evacuation without hosts to spare. */
@NullMarked
package io.godwit.demo;

import org.jspecify.annotations.NullMarked;
