/** Batches of migrations that empty hosts: requests and views. */
@NullMarked
package io.godwit.proto.evacuation;

import org.jspecify.annotations.NullMarked;
