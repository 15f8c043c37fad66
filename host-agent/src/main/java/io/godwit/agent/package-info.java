/** The process on every host. */
@NullMarked
package io.godwit.agent;

import org.jspecify.annotations.NullMarked;
