package io.godwit.cli;

import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The root of all commands and the global options. */
@Command(
        name = "godwit",
        description = "Evacuates hosts: live-migrates every VM off them, devices included.",
        synopsisSubcommandLabel = "COMMAND",
        mixinStandardHelpOptions = true,
        scope = ScopeType.INHERIT,
        version = "godwit 1.0",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:the work asked for failed; what and why is on stderr",
            "2:bad usage or bad input",
            "3:no coordinator answers",
            "130:interrupted"
        },
        subcommands = {
            HostCommands.HostGroup.class,
            VmCommands.VmGroup.class,
            MigrateCommand.class,
            EvacuateCommand.class,
            MigrationCommands.MigrationGroup.class,
            EvacuationCommands.EvacuationGroup.class,
            PlanCommand.class
        })
public final class GodwitCommand implements Callable<Integer> {
    private final Shell shell;

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli before anything is called
    private CommandSpec spec;

    /** The root command of {@code shell}. */
    public GodwitCommand(Shell shell) {
        this.shell = shell;
    }

    @Option(
            names = "--coordinator",
            paramLabel = "URL",
            scope = ScopeType.INHERIT,
            defaultValue = "${env:GODWIT_COORDINATOR:-http://127.0.0.1:8400}",
            description =
                    "Address of the coordinator, or of several, divided by commas: the first that answers is asked"
                            + " (default: $GODWIT_COORDINATOR, else http://127.0.0.1:8400).")
    void coordinator(String url) {
        shell.coordinator(url);
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FORMAT",
            scope = ScopeType.INHERIT,
            defaultValue = "table",
            description = "table (default), json or yaml.")
    void output(String format) {
        try {
            shell.output(OutputFormat.of(format));
        } catch (IllegalArgumentException e) {
            throw new CommandLine.ParameterException(spec.commandLine(), "--output: " + e.getMessage(), e);
        }
    }

    @Override
    public Integer call() {
        throw new CommandLine.ParameterException(
                spec.commandLine(),
                "no command given; expected one of "
                        + String.join(", ", spec.subcommands().keySet()));
    }

    /** The command line, ready for {@code execute}. */
    public static CommandLine commandLine(Shell shell) {
        return configured(new CommandLine(new GodwitCommand(shell), shell.factory()), shell);
    }

    /** Gives {@code line} and its subcommands, those added since too, the handlers that print one line and exit. */
    public static CommandLine configured(CommandLine line, Shell shell) {
        line.setOut(new PrintWriter(shell.surroundings().out(), true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(shell.surroundings().err(), true, StandardCharsets.UTF_8));
        line.setParameterExceptionHandler((e, _) -> {
            // one line, not the whole usage: that is what --help is for
            CommandLine at = e.getCommandLine();
            shell.say("godwit: " + oneLine(e) + " (see '" + at.getCommandSpec().qualifiedName() + " --help')");
            return ExitCode.USAGE;
        });
        line.setExecutionExceptionHandler((e, _, _) -> {
            if (e instanceof CliFailure failure) {
                shell.say("godwit: " + oneLine(failure));
                return failure.exitCode();
            }
            throw e;
        });
        return line;
    }

    private static String oneLine(Exception e) {
        if (e instanceof CommandLine.UnmatchedArgumentException unmatched
                && !unmatched.getUnmatched().isEmpty()) {
            String word = unmatched.getUnmatched().getFirst();
            var commands =
                    unmatched.getCommandLine().getCommandSpec().subcommands().keySet();
            if (word.startsWith("-")) {
                return "unknown option '" + word + "'";
            }
            return commands.isEmpty()
                    ? "unexpected '" + word + "'"
                    : "unknown command '" + word + "'; expected one of " + String.join(", ", commands);
        }
        return String.valueOf(e.getMessage()).strip().replaceAll("\\s*\\R\\s*", "; ");
    }
}
