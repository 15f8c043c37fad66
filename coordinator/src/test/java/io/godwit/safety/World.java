package io.godwit.safety;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One state of the model, small enough to keep millions of: all parts are numbers of an {@link Interned}.
 *
 * @param journal the ledger, as it is durable
 * @param cutOff a ledger that was cut off and still believes in itself; -1 for none
 * @param first the migration that is asked for at the start
 * @param second the one after it; -1 before it is asked for
 * @param copyA what host a has of the VM
 * @param copyB what host b has
 * @param copyC what host c has
 * @param said words ever sent, a bit each, 0 to 63
 * @param alsoSaid words ever sent, 64 to 127
 * @param crashes agents that may still be killed
 * @param failovers ledgers that may still be cut off
 * @param excused whether the only copy that counted died with its agent
 */
record World(
        int journal,
        int cutOff,
        int first,
        int second,
        int copyA,
        int copyB,
        int copyC,
        long said,
        long alsoSaid,
        int crashes,
        int failovers,
        boolean excused) {

    /** Copy of host {@code host}, 0 to 2. */
    int copy(int host) {
        return host == 0 ? copyA : host == 1 ? copyB : copyC;
    }

    World withCopy(int host, int copy) {
        return new World(
                journal,
                cutOff,
                first,
                second,
                host == 0 ? copy : copyA,
                host == 1 ? copy : copyB,
                host == 2 ? copy : copyC,
                said,
                alsoSaid,
                crashes,
                failovers,
                excused);
    }

    World withJournal(int now) {
        return new World(now, cutOff, first, second, copyA, copyB, copyC, said, alsoSaid, crashes, failovers, excused);
    }

    World withCutOff(int now, int failoversLeft) {
        return new World(
                journal, now, first, second, copyA, copyB, copyC, said, alsoSaid, crashes, failoversLeft, excused);
    }

    World withMigration(boolean isFirst, int now) {
        return new World(
                journal,
                cutOff,
                isFirst ? now : first,
                isFirst ? second : now,
                copyA,
                copyB,
                copyC,
                said,
                alsoSaid,
                crashes,
                failovers,
                excused);
    }

    World withCrash(boolean excusedNow) {
        return new World(
                journal,
                cutOff,
                first,
                second,
                copyA,
                copyB,
                copyC,
                said,
                alsoSaid,
                crashes - 1,
                failovers,
                excused || excusedNow);
    }

    World saying(int word) {
        return new World(
                journal,
                cutOff,
                first,
                second,
                copyA,
                copyB,
                copyC,
                word < 64 ? said | 1L << word : said,
                word < 64 ? alsoSaid : alsoSaid | 1L << (word - 64),
                crashes,
                failovers,
                excused);
    }

    /** The network has lost everything, and nothing goes wrong from now on. */
    World inPeace() {
        return new World(journal, -1, first, second, copyA, copyB, copyC, 0, 0, 0, 0, excused);
    }

    boolean heard(int word) {
        return word < 64 ? (said & 1L << word) != 0 : (alsoSaid & 1L << (word - 64)) != 0;
    }

    /** Things by number. */
    static final class Interned<T> {
        private final Map<T, Integer> numbers = new HashMap<>();
        private final List<T> things = new ArrayList<>();

        int of(T thing) {
            Integer known = numbers.putIfAbsent(thing, things.size());
            if (known == null) {
                things.add(thing);
                return things.size() - 1;
            }
            return known;
        }

        T get(int number) {
            return things.get(number);
        }

        int size() {
            return things.size();
        }
    }
}
