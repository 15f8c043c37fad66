package io.godwit.proto;

/**
 * Marks a record that may be thrown away: a snapshot (a later one, or the events, replace it) or a progress report (the
 * next one replaces it). It is written by Kryo; its class must be in the fixed table of class ids.
 */
public interface KryoMessage {}
