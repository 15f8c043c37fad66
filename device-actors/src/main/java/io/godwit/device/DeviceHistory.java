package io.godwit.device;

import io.godwit.proto.vm.HookSeen;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The last hooks of a device and the states each walked through, oldest first; the oldest are forgotten. Equal ones in a
 * row that changed nothing count as one; so do the two that pre-copy asks again and again in turn.
 */
public final class DeviceHistory {
    private final List<Entry> entries = new ArrayList<>();
    private final int entriesMax;

    /**
     * One hook, or a row of equal ones that changed nothing.
     *
     * @param hook which
     * @param detail what it was about, such as {@code FINISH_MIGRATE}; empty when the hook says it all
     * @param states where the device stood before and after each step; one state when it made none
     * @param times how often in a row
     * @param failure why it failed, was refused or came late, if it did
     */
    public record Entry(DeviceHook hook, String detail, List<DeviceState> states, int times, Optional<String> failure) {
        public Entry {
            states = List.copyOf(states);
        }

        private boolean repeats(Entry other) {
            return states.size() == 1
                    && hook == other.hook
                    && detail.equals(other.detail)
                    && states.equals(other.states)
                    && failure.equals(other.failure);
        }

        private Entry oneMore() {
            return new Entry(hook, detail, states, times + 1, failure);
        }

        private boolean polled() {
            return states.size() == 1
                    && failure.isEmpty()
                    && (hook == DeviceHook.SAVE_LIVE_PENDING || hook == DeviceHook.SAVE_LIVE_ITERATE);
        }

        HookSeen seen() {
            return new HookSeen(
                    detail.isEmpty() ? hook.name() : hook + "(" + detail + ")",
                    states.stream().map(Enum::name).toList(),
                    times,
                    failure);
        }
    }

    DeviceHistory(int entriesMax) {
        this.entriesMax = entriesMax;
    }

    void add(DeviceHook hook, String detail, List<DeviceState> states, Optional<String> failure) {
        Entry next = new Entry(hook, detail, states, 1, failure);
        int size = entries.size();
        // hundreds of iterations that change no state would push out what matters
        if (size > 0 && next.repeats(entries.getLast())) {
            entries.set(size - 1, entries.getLast().oneMore());
        } else if (size > 1 && next.polled() && entries.getLast().polled() && next.repeats(entries.get(size - 2))) {
            entries.set(size - 2, entries.get(size - 2).oneMore());
        } else {
            if (size == entriesMax) {
                entries.removeFirst();
            }
            entries.add(next);
        }
    }

    List<Entry> entries() {
        return List.copyOf(entries);
    }
}
