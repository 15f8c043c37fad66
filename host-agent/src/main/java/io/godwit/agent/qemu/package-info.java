/**
 * Guests that are QEMU processes, driven through QMP (QEMU: docs/interop/qmp-spec.rst).
 */
@NullMarked
package io.godwit.agent.qemu;

import org.jspecify.annotations.NullMarked;
