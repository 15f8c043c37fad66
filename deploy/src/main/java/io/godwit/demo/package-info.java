/** The demo: a fleet of real processes on this machine, an evacuation, and its proof. */
@NullMarked
package io.godwit.demo;

import org.jspecify.annotations.NullMarked;
