package io.godwit.bench;

import java.util.Optional;

/** What a round does to the fleet. */
sealed interface Harm permits Blow, Cuts.Cut {
    /** All of it, in a few words. */
    String told();

    /** Whether it is done to one coordinator alone, and so must cost no migration anything. */
    boolean coordinator();

    /** The agent that it kills, and its guests with it. */
    Optional<String> dead();
}
