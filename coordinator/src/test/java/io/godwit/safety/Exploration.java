package io.godwit.safety;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/** Walks through every world that a model can come into, breadth first, and judges each. */
final class Exploration {
    private static final int PEACEFUL_ROUNDS_MAX = 200;

    private record Came(World from, String step) {}

    private final HandoffModel model;
    private final int worldsMax;
    private final Map<World, Came> seen = new HashMap<>();
    private final Set<World> endsWell = new HashSet<>();

    /** @param worldsMax more worlds than this are a mistake in the model */
    Exploration(HandoffModel model, int worldsMax) {
        this.model = model;
        this.worldsMax = worldsMax;
    }

    int worlds() {
        return seen.size();
    }

    /** The first violation found, with the steps that lead to it; empty when there is none. */
    Optional<String> violation(World begin) {
        Deque<World> todo = new ArrayDeque<>();
        todo.add(begin);
        seen.put(begin, new Came(begin, "begin"));
        while (!todo.isEmpty()) {
            World world = todo.remove();
            Optional<String> wrong = judge(world);
            if (wrong.isPresent()) {
                return Optional.of(wrong.get() + "\n" + String.join("\n", trace(world)));
            }
            List<String> shrunk = new ArrayList<>();
            model.steps(world, (step, next) -> {
                if (model.view(next).epoch() < model.view(world).epoch()) {
                    shrunk.add("I3: the ledger's epoch shrinks: " + step);
                }
                if (seen.putIfAbsent(next, new Came(world, step)) == null) {
                    todo.add(next);
                }
            });
            if (!shrunk.isEmpty()) {
                return Optional.of(shrunk.getFirst() + "\n" + String.join("\n", trace(world)));
            }
            if (seen.size() > worldsMax) {
                throw new IllegalStateException("more than " + worldsMax + " worlds");
            }
        }
        return Optional.empty();
    }

    /**
     * The first violation on one way of at most {@code stepsMax} steps, each drawn from those that are possible; for worlds
     * that are too deep for {@link #violation}.
     */
    Optional<String> violationOnAWay(World begin, int stepsMax, RandomGenerator draw) {
        List<String> way = new ArrayList<>();
        World world = begin;
        for (int i = 0; i < stepsMax; i++) {
            Optional<String> wrong = judge(world);
            if (wrong.isPresent()) {
                return Optional.of(wrong.get() + "\n" + String.join("\n", way));
            }
            seen.putIfAbsent(world, new Came(world, ""));
            List<Came> next = new ArrayList<>();
            World at = world;
            model.steps(at, (step, to) -> {
                if (!to.equals(at)) {
                    next.add(new Came(to, step));
                }
            });
            if (next.isEmpty()) {
                return Optional.empty();
            }
            Came drawn = next.get(draw.nextInt(next.size()));
            // else most ways end soon
            if (harms(drawn.step()) && draw.nextInt(10) > 0) {
                continue;
            }
            way.add(drawn.step());
            world = drawn.from();
        }
        return Optional.empty();
    }

    private static boolean harms(String step) {
        return step.contains("gives up")
                || step.contains("takes")
                || step.contains("killed")
                || step.contains("loses")
                || step.contains("deadline");
    }

    private Optional<String> judge(World world) {
        List<String> runners = runners(world);
        if (runners.size() > 1) {
            return Optional.of("I1: the VM runs on " + runners);
        }
        for (int host = 0; host < HandoffModel.HOSTS.size(); host++) {
            if (model.copies.get(world.copy(host)) instanceof Copy.Running(var epoch)
                    && epoch > model.view(world).epoch()) {
                return Optional.of("I3: " + HandoffModel.HOSTS.get(host) + " runs under epoch " + epoch
                        + ", which the ledger has not granted");
            }
        }
        return unhappyEnd(world.inPeace());
    }

    private List<String> runners(World world) {
        List<String> runners = new ArrayList<>();
        for (int host = 0; host < HandoffModel.HOSTS.size(); host++) {
            if (model.copies.get(world.copy(host)).runs()) {
                runners.add(HandoffModel.HOSTS.get(host));
            }
        }
        return runners;
    }

    /** I2: nothing goes wrong any more; all that has to be said is said again, and patience ends. Where does that lead? */
    private Optional<String> unhappyEnd(World peaceful) {
        Set<World> way = new HashSet<>();
        World world = peaceful;
        for (int round = 0; round < PEACEFUL_ROUNDS_MAX; round++) {
            if (endsWell.contains(world)) {
                endsWell.addAll(way);
                return Optional.empty();
            }
            // the same again: nobody waits for ever
            boolean patient = way.add(world);
            Peace peace = new Peace(model);
            Optional<World> next = patient ? peace.step(world) : peace.patienceEnds(world);
            if (next.isEmpty()) {
                Optional<String> wrong = settledWrong(world);
                if (wrong.isEmpty()) {
                    endsWell.addAll(way);
                }
                return wrong;
            }
            world = next.get();
        }
        return Optional.of("I2: no end in sight without any fault: " + describe(world));
    }

    private Optional<String> settledWrong(World world) {
        List<String> runners = runners(world);
        boolean right = runners.size() == 1 && model.view(world).grants(runners.getFirst());
        if (!right && !(world.excused() && runners.isEmpty())) {
            return Optional.of("I2: in the end the VM runs on " + runners + ": " + describe(world));
        }
        for (int host = 0; host < HandoffModel.HOSTS.size(); host++) {
            Copy copy = model.copies.get(world.copy(host));
            if (!runners.contains(HandoffModel.HOSTS.get(host)) && !(copy instanceof Copy.Nothing)) {
                return Optional.of("I2: something is left over in the end: " + describe(world));
            }
        }
        return Optional.empty();
    }

    private String describe(World world) {
        return "ledger: " + HandoffModel.brief(model.view(world)) + "; m1 " + phase(world.first()) + ", m2 "
                + (world.second() < 0 ? "-" : phase(world.second())) + "; a " + model.copies.get(world.copyA()) + ", b "
                + model.copies.get(world.copyB()) + ", c " + model.copies.get(world.copyC());
    }

    private String phase(int migration) {
        return model.migrations.get(migration).phase().name();
    }

    private List<String> trace(World world) {
        List<String> steps = new ArrayList<>();
        World at = world;
        while (true) {
            Came came = seen.get(at);
            if (came == null || came.from().equals(at)) {
                return steps.reversed();
            }
            steps.add(came.step());
            at = came.from();
        }
    }
}
