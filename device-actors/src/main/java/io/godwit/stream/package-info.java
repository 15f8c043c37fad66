/** The migration stream: frames, checks and the ports that carry them. */
@NullMarked
package io.godwit.stream;

import org.jspecify.annotations.NullMarked;
