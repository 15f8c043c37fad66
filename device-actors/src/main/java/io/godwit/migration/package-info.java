/** The save path and the resume path of one VM. */
@NullMarked
package io.godwit.migration;

import org.jspecify.annotations.NullMarked;
