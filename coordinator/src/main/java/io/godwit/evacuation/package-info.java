/** Evacuations, and the migrations they are made of: event-sourced sagas over the hosts. */
@NullMarked
package io.godwit.evacuation;

import org.jspecify.annotations.NullMarked;
