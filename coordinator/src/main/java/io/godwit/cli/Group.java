package io.godwit.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** A command that only groups others: called by itself, it says which. */
public abstract class Group implements Callable<Integer> {
    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before anything is called
    private CommandSpec spec;

    /** For the groups. */
    protected Group() {}

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(),
                "'" + spec.qualifiedName() + "' needs a command; expected one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }
}
