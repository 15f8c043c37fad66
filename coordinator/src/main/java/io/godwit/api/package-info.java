/** The HTTP API under {@code /api/v1}: routes, JSON bodies, errors and the event stream. */
@NullMarked
package io.godwit.api;

import org.jspecify.annotations.NullMarked;
