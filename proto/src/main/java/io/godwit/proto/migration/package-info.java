/** One VM's move: what is asked of it, what the hosts report, and how it is shown. */
@NullMarked
package io.godwit.proto.migration;

import org.jspecify.annotations.NullMarked;
