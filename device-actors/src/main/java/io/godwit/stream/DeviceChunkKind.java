package io.godwit.stream;

/** What a device section of the stream holds. */
public enum DeviceChunkKind {
    /** Config space. */
    CONFIG,
    /** State given out while the device ran. */
    PRECOPY,
    /** State given out while it stood still. */
    STOPCOPY,
    /** Nothing more comes of this device; no payload. */
    END
}
