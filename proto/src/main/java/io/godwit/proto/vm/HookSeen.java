package io.godwit.proto.vm;

import io.godwit.proto.WireMessage;
import java.util.List;
import java.util.Optional;

/**
 * One hook that a device saw, or a row of equal ones that changed nothing.
 *
 * @param hook name of the hook, such as {@code SAVE_SETUP}, with what it was about where there is more than one thing,
 *     such as {@code VM_STATE_CHANGED(FINISH_MIGRATE)} or {@code LOAD_STATE(CONFIG)}
 * @param states where the device stood before and after each step it made, by the names of protocol v2; one when it made
 *     none
 * @param times how often in a row
 * @param failure why it failed, was refused or came late, if it did
 */
public record HookSeen(String hook, List<String> states, int times, Optional<String> failure) implements WireMessage {
    public HookSeen {
        states = List.copyOf(states);
    }
}
