/** The one entry point of every process, and the commands that start long-running ones. */
@NullMarked
package io.godwit.launch;

import org.jspecify.annotations.NullMarked;
