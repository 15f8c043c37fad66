package io.godwit.proto.evacuation;

import io.godwit.proto.WireMessage;

/** Answer to whoever asked an evacuation something. */
public sealed interface EvacuationReply extends WireMessage {
    /** The evacuation as it stands. */
    record EvacuationShown(EvacuationView view) implements EvacuationReply {}

    /** Not done, or no such evacuation: why. */
    record EvacuationRefused(String evacuation, String reason) implements EvacuationReply {}
}
