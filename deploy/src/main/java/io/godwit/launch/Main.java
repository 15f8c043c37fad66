package io.godwit.launch;

import com.typesafe.config.ConfigFactory;
import io.godwit.cli.CliSettings;
import io.godwit.cli.GodwitCommand;
import io.godwit.cli.Shell;
import io.godwit.cli.Surroundings;
import io.godwit.demo.DemoCommand;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import picocli.CommandLine;

/** The {@code godwit} command: the operator's commands, and those that start a coordinator, a host agent or the demo. */
public final class Main {
    private Main() {}

    /** Runs the command and exits with its code. */
    public static void main(String[] arguments) {
        Shell shell = new Shell(surroundings());
        System.exit(commandLine(shell).execute(arguments));
    }

    /** Every command there is. */
    static CommandLine commandLine(Shell shell) {
        CommandLine line = GodwitCommand.commandLine(shell);
        // the agent's command has the commands about hosts below it, and takes the place of the group without an agent
        line.getCommandSpec().removeSubcommand("host");
        line.addSubcommand(new CommandLine(new HostAgentCommand(shell), shell.factory()));
        line.addSubcommand(new CommandLine(new CoordinatorCommand(shell), shell.factory()));
        line.addSubcommand(new CommandLine(new DemoCommand(shell), shell.factory()));
        return GodwitCommand.configured(line, shell);
    }

    static Surroundings surroundings() {
        return new Surroundings(
                new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8),
                new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
                // null or not a terminal, by release and redirection
                Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false),
                CliSettings.of(ConfigFactory.load()),
                System::nanoTime,
                time -> Thread.sleep(time.toMillis()),
                Main::onInterrupt);
    }

    private static Surroundings.Interrupts.Registration onInterrupt(Runnable action) {
        Thread hook = new Thread(action, "interrupted");
        Runtime.getRuntime().addShutdownHook(hook);
        return () -> {
            try {
                Runtime.getRuntime().removeShutdownHook(hook);
            } catch (IllegalStateException e) {
                // the process is ending already, and the action has run or runs now
            }
        };
    }
}
