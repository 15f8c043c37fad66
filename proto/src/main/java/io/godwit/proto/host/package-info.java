/** What a coordinator asks of a host agent and how a host describes itself. */
@NullMarked
package io.godwit.proto.host;

import org.jspecify.annotations.NullMarked;
