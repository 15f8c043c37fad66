/** The device actor, the VFIO device SPI, its state machine, the model devices and the v1 region protocol. */
@NullMarked
package io.godwit.device;

import org.jspecify.annotations.NullMarked;
