/** What is done about a migration that does not converge: ladders of steps, the policies that name them, and their climbing. */
@NullMarked
package io.godwit.convergence;

import org.jspecify.annotations.NullMarked;
