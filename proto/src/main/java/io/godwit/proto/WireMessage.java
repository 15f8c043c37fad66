package io.godwit.proto;

/**
 * Marks a record that crosses a process or outlives one. It is written as the Protobuf message of the same simple name
 * in {@code godwit/v1}; the record's components and the message's fields carry the same names (camel case here, snake
 * case there).
 */
public interface WireMessage {}
