/** The operator's commands. They talk to a coordinator's HTTP API and share nothing else with it. */
@NullMarked
package io.godwit.cli;

import org.jspecify.annotations.NullMarked;
