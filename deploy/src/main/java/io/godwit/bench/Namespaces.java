package io.godwit.bench;

import io.godwit.demo.DemoNetwork;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A network namespace for each process of a fleet, all of them on one bridge in the namespace of this process, which the store
 * shares. Two of them are cut off from each other by sending what they have for each other to an address that nobody has: as
 * with a broken switch, nothing is refused, nothing comes. For root, in a namespace that is thrown away afterwards.
 */
final class Namespaces implements DemoNetwork {
    /** Whoever is on the bridge itself: the store, and this process. */
    static final String HUB = "hub";

    private static final String NOBODY = "02:00:00:00:00:01";
    private static final String PREFIX = "10.99.0.";

    private final Map<String, String> addresses = new LinkedHashMap<>();

    private Namespaces() {}

    /**
     * Makes them.
     *
     * @throws IOException when that is not allowed here, or a program is missing
     */
    static Namespaces make(List<String> names) throws IOException, InterruptedException {
        Namespaces made = new Namespaces();
        made.addresses.put(HUB, PREFIX + 254);
        Files.createDirectories(Path.of("/run/netns"));
        run("mount", "-t", "tmpfs", "none", "/run/netns");
        run("ip", "link", "set", "lo", "up");
        run("ip", "link", "add", HUB, "type", "bridge");
        run("ip", "addr", "add", made.address(HUB) + "/24", "dev", HUB);
        run("ip", "link", "set", HUB, "up");
        for (String name : names) {
            String port = "port" + made.addresses.size();
            made.addresses.put(name, PREFIX + made.addresses.size());
            run("ip", "netns", "add", name);
            run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name);
            run("ip", "link", "set", port, "master", HUB, "up");
            run("ip", "-n", name, "addr", "add", made.address(name) + "/24", "dev", "eth0");
            run("ip", "-n", name, "link", "set", "lo", "up");
            run("ip", "-n", name, "link", "set", "eth0", "up");
        }
        return made;
    }

    @Override
    public String address(String name) {
        String address = addresses.get(name);
        if (address == null) {
            throw new IllegalArgumentException("nobody named " + name);
        }
        return address;
    }

    @Override
    public String storeAddress() {
        return address(HUB);
    }

    @Override
    public List<String> command(String name, List<String> command) {
        List<String> there = new ArrayList<>(List.of("nsenter", "--net=/run/netns/" + name, "--"));
        there.addAll(command);
        return there;
    }

    /** From now on each of {@code some} and each of {@code others} hear nothing of each other. */
    void cut(List<String> some, List<String> others) throws IOException, InterruptedException {
        for (String a : some) {
            for (String b : others) {
                run(neighbour(a, "replace", b, List.of("lladdr", NOBODY, "nud", "permanent")));
                run(neighbour(b, "replace", a, List.of("lladdr", NOBODY, "nud", "permanent")));
            }
        }
    }

    /** Takes {@link #cut} back. */
    void heal(List<String> some, List<String> others) throws IOException, InterruptedException {
        for (String a : some) {
            for (String b : others) {
                run(neighbour(a, "del", b, List.of()));
                run(neighbour(b, "del", a, List.of()));
            }
        }
    }

    private String[] neighbour(String at, String what, String of, List<String> how) {
        List<String> command = new ArrayList<>(List.of("ip"));
        if (!at.equals(HUB)) {
            command.addAll(List.of("-n", at));
        }
        command.addAll(List.of("neigh", what, address(of)));
        command.addAll(how);
        command.addAll(List.of("dev", at.equals(HUB) ? HUB : "eth0"));
        return command.toArray(String[]::new);
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(String.join(" ", command) + ": " + said.strip());
        }
    }
}
