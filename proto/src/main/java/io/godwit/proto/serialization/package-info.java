/** How records become bytes: the Protobuf codec, and the Pekko serializers for what is kept and what may be thrown away. */
@NullMarked
package io.godwit.proto.serialization;

import org.jspecify.annotations.NullMarked;
