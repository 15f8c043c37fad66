package io.godwit.bench;

import java.util.Optional;

/**
 * What a round does to one process, once its moment has come.
 *
 * @param when the moment, as people read it
 * @param victim name of the process
 * @param kill or only stopped for a while
 * @param pauseMs for how long it is stopped
 * @param migration at whose way the moment was chosen
 * @param frozen another process that was stopped so that the moment could be hit, and goes on after the blow
 */
record Blow(String when, String victim, boolean kill, long pauseMs, Optional<String> migration, Optional<String> frozen)
        implements Harm {
    @Override
    public boolean coordinator() {
        return !victim.startsWith("host-");
    }

    @Override
    public Optional<String> dead() {
        return kill && !coordinator() ? Optional.of(victim) : Optional.empty();
    }

    @Override
    public String told() {
        return when + " " + victim + (kill ? " is killed" : " stands still for " + pauseMs + " ms");
    }
}
