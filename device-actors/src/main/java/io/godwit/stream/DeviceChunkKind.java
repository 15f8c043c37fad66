package io.godwit.stream;

/** What a device section of the stream holds. */
public enum DeviceChunkKind {
    /** Config space. */
    CONFIG,
    /** State given out while the device ran. */
    PRECOPY,
    /**
     * All of its initial data has been given out, while it ran: once, before any {@link #STOPCOPY}; no payload. A device
     * without pre-copy sends none.
     */
    INITIAL_END,
    /** State given out while it stood still. */
    STOPCOPY,
    /** Nothing more comes of this device; no payload. */
    END
}
