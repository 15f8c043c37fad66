/** TCP channels for migration streams. */
@NullMarked
package io.godwit.agent.transport;

import org.jspecify.annotations.NullMarked;
