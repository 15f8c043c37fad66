package io.godwit.safety;

import io.godwit.evacuation.MigrationState;
import io.godwit.evacuation.MigrationState.Asked;
import io.godwit.evacuation.MigrationState.Ended;
import io.godwit.safety.Word.ToMigration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What happens when nothing goes wrong any more: everybody repeats what his state obliges him to, every word arrives, and
 * only when that changes nothing does somebody's patience end.
 */
final class Peace {
    private final HandoffModel model;

    Peace(HandoffModel model) {
        this.model = model;
    }

    /** The world after the next step; empty when nothing is left to happen. */
    Optional<World> step(World world) {
        // what was lost is said again
        World told = repeated(world);
        for (int word = 0; word < model.words.size(); word++) {
            if (told.heard(word)) {
                Optional<World> next = first(told, world, word);
                if (next.isPresent()) {
                    return next;
                }
            }
        }
        List<World> more = new ArrayList<>();
        model.agentSteps(world, (step, next) -> {
            if (!step.contains("loses") && !substance(next).equals(substance(world))) {
                more.add(next.inPeace());
            }
        });
        return more.isEmpty() ? patienceEnds(world) : Optional.of(more.getFirst());
    }

    /** The world after the first deadline that changes something; empty when there is none. */
    Optional<World> patienceEnds(World world) {
        List<World> more = new ArrayList<>();
        model.timeouts(world, (step, next) -> {
            // a leftover is a word to a host: at once delivered, or it would be forgotten here
            if (step.startsWith("leftovers")) {
                for (int word = 0; word < model.words.size(); word++) {
                    if (next.heard(word) && !world.heard(word)) {
                        model.deliver(next, word, (_, after) -> more.add(after.inPeace()));
                    }
                }
            } else if (!step.contains("takes") || deaf(world, step)) {
                more.add(next.inPeace());
            }
        });
        return more.stream().filter(next -> !next.equals(world)).findFirst();
    }

    /** A host that has nothing to say may well be gone: patience with it ends, too. */
    private boolean deaf(World world, String step) {
        return HandoffModel.HOSTS.stream()
                .filter(host -> step.contains("takes " + host))
                .anyMatch(
                        host -> model.copies.get(world.copy(HandoffModel.HOSTS.indexOf(host))) instanceof Copy.Nothing);
    }

    private Optional<World> first(World told, World world, int word) {
        List<World> after = new ArrayList<>();
        model.deliver(told, word, (_, next) -> {
            if (!substance(next).equals(substance(world))) {
                after.add(next.inPeace());
            } else if (!next.equals(told)) {
                // it changed nothing but led to an answer, which is heard at once
                for (int answer = 0; answer < model.words.size(); answer++) {
                    if (next.heard(answer) && !told.heard(answer) && model.words.get(answer) instanceof ToMigration) {
                        model.deliver(next, answer, (_, then) -> {
                            if (!substance(then).equals(substance(world))) {
                                after.add(then.inPeace());
                            }
                        });
                    }
                }
            }
        });
        return after.stream().findFirst();
    }

    private World repeated(World world) {
        World told = world;
        for (int number : new int[] {world.first(), world.second()}) {
            if (number >= 0) {
                MigrationState state = model.migrations.get(number);
                if (state instanceof Asked && !(state instanceof Ended)) {
                    told = model.carriedOut(told, state);
                }
            }
        }
        return model.repeated(told);
    }

    private static World substance(World world) {
        return world.inPeace();
    }
}
