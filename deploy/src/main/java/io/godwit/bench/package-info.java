/** Benchmarks side by side with what Godwit is measured against. */
@NullMarked
package io.godwit.bench;

import org.jspecify.annotations.NullMarked;
