/** What every process of Godwit agrees on: messages, their encoding, and the clock port. */
@NullMarked
package io.godwit.proto;

import org.jspecify.annotations.NullMarked;
