/** The process on every host: its guardian, its inventory, and the guests it runs. */
@NullMarked
package io.godwit.agent;

import org.jspecify.annotations.NullMarked;
