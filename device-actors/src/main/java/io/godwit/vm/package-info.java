/** The VM actor, the guest driver SPI, guest memory and the rule that guest programs and devices write by. */
@NullMarked
package io.godwit.vm;

import org.jspecify.annotations.NullMarked;
