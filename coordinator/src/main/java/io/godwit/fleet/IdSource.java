package io.godwit.fleet;

import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.random.RandomGenerator;

/** Makes ids of migrations and evacuations. Ids made later sort later, across restarts too. */
@FunctionalInterface
public interface IdSource {
    /** A new id that starts with {@code prefix}, such as {@code m}. */
    String next(String prefix);

    /**
     * Ids such as {@code m-20261123-020854-123-4f1}: UTC time down to the millisecond, then a number that tells apart
     * what coordinators do in the same millisecond.
     */
    static IdSource of(InstantSource wall, RandomGenerator random) {
        DateTimeFormatter time =
                DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss-SSS").withZone(ZoneOffset.UTC);
        AtomicInteger count = new AtomicInteger(random.nextInt(0x1000));
        return prefix -> "%s-%s-%03x".formatted(prefix, time.format(wall.instant()), count.incrementAndGet() & 0xfff);
    }
}
