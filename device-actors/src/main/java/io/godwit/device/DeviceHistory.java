package io.godwit.device;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/** The last hooks of a device and the states each walked through, oldest first; the oldest are forgotten. */
public final class DeviceHistory {
    private final Deque<Entry> entries = new ArrayDeque<>();
    private final int entriesMax;

    /**
     * One hook, or a row of equal ones that changed nothing.
     *
     * @param hook which
     * @param states where the device stood before and after each step; one state when it made none
     * @param times how often in a row
     * @param failure why it failed, if it did
     */
    public record Entry(DeviceHook hook, List<DeviceState> states, int times, Optional<String> failure) {
        public Entry {
            states = List.copyOf(states);
        }
    }

    DeviceHistory(int entriesMax) {
        this.entriesMax = entriesMax;
    }

    void add(DeviceHook hook, List<DeviceState> states, Optional<String> failure) {
        Entry last = entries.peekLast();
        // hundreds of iterations that change no state would push out what matters
        if (last != null
                && states.size() == 1
                && last.hook() == hook
                && last.states().equals(states)
                && last.failure().equals(failure)) {
            entries.removeLast();
            entries.addLast(new Entry(hook, states, last.times() + 1, failure));
            return;
        }
        if (entries.size() == entriesMax) {
            entries.removeFirst();
        }
        entries.addLast(new Entry(hook, states, 1, failure));
    }

    List<Entry> entries() {
        return List.copyOf(entries);
    }
}
