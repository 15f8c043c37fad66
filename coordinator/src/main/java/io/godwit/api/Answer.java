package io.godwit.api;

import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.apache.pekko.util.ByteString;

/** What a route answers with. */
public sealed interface Answer {
    /** A view as JSON. */
    record Json(int status, Object view) implements Answer {}

    /** A text that is not JSON. */
    record Text(String contentType, ByteString text) implements Answer {}

    /** Server-sent events until the client goes. */
    record Events(Source<ByteString, NotUsed> frames) implements Answer {}

    /** 200 with a view. */
    static Answer ok(Object view) {
        return new Json(200, view);
    }
}
