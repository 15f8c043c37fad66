/** For the tests of every module: sample records, and the round trip through an actor system's serializers. */
@NullMarked
package io.godwit.proto.testing;

import org.jspecify.annotations.NullMarked;
