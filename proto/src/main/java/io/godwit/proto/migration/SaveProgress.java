package io.godwit.proto.migration;

import io.godwit.proto.KryoMessage;

/** The source's latest progress. */
public record SaveProgress(String migration, String host, Progress progress) implements MigrationMessage, KryoMessage {}
