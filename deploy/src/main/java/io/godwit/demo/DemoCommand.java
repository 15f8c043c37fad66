package io.godwit.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.typesafe.config.ConfigFactory;
import io.godwit.agent.qemu.HostProcesses;
import io.godwit.agent.qemu.QemuSettings;
import io.godwit.cli.CliFailure;
import io.godwit.cli.Converters;
import io.godwit.cli.ExitCode;
import io.godwit.cli.Shell;
import io.godwit.proto.vm.QemuSpec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code demo}. */
@Command(
        name = "demo",
        description = "Starts a coordinator and hosts on this machine, creates VMs on host-1, evacuates it, and checks"
                + " that nothing was lost. Leaves nothing behind.",
        sortOptions = false)
public final class DemoCommand implements Callable<Integer> {
    /** Enough for any demo on one machine, and few enough to start. */
    private static final int HOSTS_MAX = 16;

    private static final int VMS_MAX = 64;

    private final Shell shell;

    @Option(names = "--hosts", defaultValue = "3", paramLabel = "N", description = "Hosts, 2 to 16 (default 3).")
    int hosts;

    @Option(names = "--vms", defaultValue = "6", paramLabel = "N", description = "VMs on host-1, 1 to 64 (default 6).")
    int vms;

    @Option(
            names = "--memory",
            defaultValue = "256MiB",
            paramLabel = "SIZE",
            converter = Converters.Bytes.class,
            description = "RAM of each VM, a multiple of 2 MiB, at least 16MiB (default 256MiB).")
    long memoryBytes;

    @Option(
            names = "--guest",
            defaultValue = "auto",
            paramLabel = "DRIVER",
            description = "auto (default), kvm, soft or qemu.")
    String guest = "";

    /** A demo in {@code shell}. */
    public DemoCommand(Shell shell) {
        this.shell = shell;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        check();
        DemoOptions options = new DemoOptions(hosts, vms, memoryBytes, guest);
        DemoSettings settings = DemoSettings.of(ConfigFactory.load());
        Path folder = Files.createTempDirectory("godwit-demo-");
        // a Ctrl-C reaches the children too: that they end is then no failure to report
        AtomicBoolean interrupted = new AtomicBoolean();
        try (DemoFleet fleet = new DemoFleet(folder, settings, jvmOptions(), System.getProperty("java.class.path"));
                var _ = shell.surroundings().interrupts().onInterrupt(() -> {
                    interrupted.set(true);
                    shell.say("godwit: interrupted; stopping everything");
                    fleet.stop();
                    delete(folder);
                })) {
            DemoOutcome outcome = new Demo(shell, options, settings, fleet).run();
            ObjectNode document = DemoReport.document(outcome);
            shell.print(document, () -> DemoReport.text(outcome));
            if (!outcome.failed().isEmpty()) {
                throw CliFailure.failed("the demo failed: "
                        + String.join(
                                "; ",
                                outcome.failed().stream()
                                        .map(failed -> failed.name() + ": " + failed.detail())
                                        .toList())
                        + "; logs are in " + folder);
            }
        } catch (IOException | CliFailure e) {
            if (interrupted.get()) {
                throw CliFailure.interrupted("the demo was interrupted");
            }
            if (e instanceof CliFailure failure) {
                throw failure;
            }
            throw CliFailure.failed("the demo could not run: " + e.getMessage() + "; logs are in " + folder);
        }
        delete(folder);
        return ExitCode.OK;
    }

    private void check() {
        range("--hosts", hosts, 2, HOSTS_MAX);
        range("--vms", vms, 1, VMS_MAX);
        if (memoryBytes < (16L << 20) || memoryBytes % (2L << 20) != 0) {
            throw CliFailure.usage(
                    "--memory is " + memoryBytes + " bytes; expected a multiple of 2MiB, at least 16MiB");
        }
        if (!List.of("auto", "kvm", "soft", QemuSpec.DRIVER).contains(guest)) {
            throw CliFailure.usage("--guest '" + guest + "'; expected auto, kvm, soft or qemu");
        }
        String binary = QemuSettings.from(ConfigFactory.load()).binary();
        if (guest.equals(QemuSpec.DRIVER) && HostProcesses.lookUp(binary).isEmpty()) {
            throw CliFailure.failed("--guest qemu: no " + binary + " on the PATH; install QEMU (Debian:"
                    + " qemu-system-x86), or set GODWIT_QEMU_BINARY to where it is");
        }
    }

    private static void range(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw CliFailure.usage(option + " is " + value + "; expected " + min + " to " + max);
        }
    }

    /** The flags this JVM was started with, for the others. */
    private static List<String> jvmOptions() {
        List<String> options = new ArrayList<>();
        String file = System.getProperty("godwit.jvm-options");
        if (file != null) {
            options.add("@" + file);
        }
        // page bytes never enter the heap
        options.add("-Xmx256m");
        return options;
    }

    private static void delete(Path folder) {
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException | UncheckedIOException e) {
            // a temporary folder that stays is no failure of the demo
        }
    }
}
