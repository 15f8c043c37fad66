/** The fleet as the coordinator sees it. */
@NullMarked
package io.godwit.proto.fleet;

import org.jspecify.annotations.NullMarked;
