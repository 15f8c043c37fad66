package io.godwit.convergence;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigException;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.vm.VmSpec;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Ladders by name, as {@code godwit.coordinator.convergence} in reference.conf has them. */
public final class Policies {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    private final SortedMap<String, Ladder> ladders;
    private final Ladder byDefault;

    private Policies(SortedMap<String, Ladder> ladders, Ladder byDefault) {
        this.ladders = ladders;
        this.byDefault = byDefault;
    }

    /**
     * Reads {@code godwit.coordinator.convergence} of {@code config}.
     *
     * @throws ConfigException naming the setting, when a policy is no ladder, or the default no policy
     */
    public static Policies from(Config config) {
        String path = "godwit.coordinator.convergence";
        Config own = config.getConfig(path);
        SortedMap<String, Ladder> ladders = new TreeMap<>();
        for (Map.Entry<String, Object> policy :
                own.getObject("policies").unwrapped().entrySet()) {
            String name = policy.getKey();
            if (!NAME.matcher(name).matches() || LadderText.STEPS.contains(name)) {
                throw new ConfigException.BadPath(
                        path + ".policies",
                        "'" + name + "' cannot name a policy; expected a-z, 0-9 and -, and not the name of a step");
            }
            ladders.put(name, ladder(own, path + ".policies." + name, String.valueOf(policy.getValue())));
        }
        Policies named = new Policies(ladders, Ladder.NONE);
        try {
            return new Policies(ladders, named.named(own.getString("default")));
        } catch (IllegalArgumentException e) {
            throw new ConfigException.BadValue(own.origin(), path + ".default", String.valueOf(e.getMessage()), e);
        }
    }

    private static Ladder ladder(Config own, String path, String text) {
        try {
            return Ladder.parse(text);
        } catch (IllegalArgumentException e) {
            throw new ConfigException.BadValue(own.origin(), path, String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * The ladder that {@code text} stands for: the name of a policy, a ladder written out, or empty for the default.
     *
     * @throws IllegalArgumentException saying what was wrong and what is accepted
     */
    public Ladder named(String text) {
        String name = text.strip();
        if (name.isEmpty()) {
            return byDefault;
        }
        Ladder known = ladders.get(name);
        if (known != null) {
            return known;
        }
        if (NAME.matcher(name).matches() && !LadderText.STEPS.contains(name)) {
            throw new IllegalArgumentException(
                    "no convergence policy '" + name + "'; expected one of " + String.join(", ", ladders.keySet())
                            + ", or a ladder such as wait:10s, throttle:30%:10s, give-up");
        }
        return Ladder.parse(name);
    }

    /**
     * The ladder by which {@code vm} is moved: its own, else the migration's, else the default.
     *
     * @throws IllegalArgumentException when one of them cannot be read
     */
    public Ladder of(VmSpec vm, MigrationOptions options) {
        return named(vm.convergence().isBlank() ? options.convergence() : vm.convergence());
    }

    /** Why {@code vm} cannot be moved by the ladder that it would have, if it cannot. Nothing has started then. */
    public Optional<String> fault(VmSpec vm, MigrationOptions options) {
        try {
            return of(vm, options).refusal(vm);
        } catch (IllegalArgumentException e) {
            return Optional.of("vm '" + vm.name() + "': " + e.getMessage());
        }
    }
}
