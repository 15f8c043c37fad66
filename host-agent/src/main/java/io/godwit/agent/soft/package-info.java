/** The {@code soft} guest driver: vCPUs are Java threads, so it works anywhere. */
@NullMarked
package io.godwit.agent.soft;

import org.jspecify.annotations.NullMarked;
