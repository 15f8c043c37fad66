package io.godwit.bench;

import com.fasterxml.jackson.databind.JsonNode;
import io.godwit.api.EvacuationBody;
import io.godwit.api.OptionsBody;
import io.godwit.api.VmBody;
import io.godwit.cli.ApiClient;
import io.godwit.cli.CliFailure;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.ownership.OwnershipView;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/** What {@link CrashLoop} asks of the coordinators, any of which may be dead at the moment: it asks until one answers. */
final class CrashFleet {
    private static final long MIB = 1L << 20;
    private static final long VM_BYTES = 32 * MIB;
    /** Cores that are shared by all processes, some of them just starting, must not be why a migration fails. */
    private static final long BLACKOUT_BUDGET_MS = 10_000;

    private static final String CONVERGENCE = "wait:1s, downtime:budget";
    private static final Set<String> OVER = Set.of("COMPLETED", "FAILED");
    private static final Duration OUTAGE_MAX = Duration.ofSeconds(60);
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final ApiClient client;
    private final ApiClient impatient;
    private final List<ApiClient> each;

    /**
     * Asks through these.
     *
     * @param impatient waits for answers even less
     * @param each asks one coordinator
     */
    CrashFleet(ApiClient client, ApiClient impatient, List<ApiClient> each) {
        this.client = client;
        this.impatient = impatient;
        this.each = List.copyOf(each);
    }

    /** State of each VM by name, such as RUNNING or LOST; and where it is. */
    record Vm(String state, Optional<String> host) {}

    Map<String, Vm> vms() {
        Map<String, Vm> all = new TreeMap<>();
        for (JsonNode vm : patiently(() -> client.get(ApiClient.path("vms"))).path("vms")) {
            all.put(
                    vm.at("/spec/name").asText(),
                    new Vm(
                            vm.path("state").asText(),
                            Optional.ofNullable(vm.path("host").textValue())));
        }
        return all;
    }

    long hostsUp() {
        long up = 0;
        for (JsonNode host :
                patiently(() -> client.get(ApiClient.path("hosts"))).path("hosts")) {
            up += host.path("state").asText().equals("UP") ? 1 : 0;
        }
        return up;
    }

    /** Waits until all hosts are up, and makes the VMs, dealt out to the hosts in turn. */
    void populate(List<String> hosts, int vms) throws IOException {
        awaitThat("all hosts are up", () -> hostsUp() == hosts.size());
        for (int vm = 0; vm < vms; vm++) {
            create("vm-" + (vm + 1), hosts.get(vm % hosts.size()));
        }
    }

    /** The host that the ledger has a VM run on. */
    Optional<String> owner(String vm) {
        return patiently(() -> client.view(client.get(ApiClient.path("vms", vm, "ownership")), OwnershipView.class))
                .host();
    }

    /** Whether every coordinator answers, and knows the fleet: none is out of the cluster. */
    boolean coordinatorsUp() {
        return each.stream().allMatch(one -> {
            try {
                return one.get(ApiClient.path("hosts")).has("hosts");
            } catch (CliFailure e) {
                return false;
            }
        });
    }

    /** Makes it; again if the answer was lost with the coordinator that was asked. */
    void create(String vm, String host) throws IOException {
        awaitThat("VM " + vm + " can be created", () -> {
            try {
                client.post(
                        ApiClient.path("vms"),
                        new VmBody(
                                vm,
                                host,
                                "auto",
                                VM_BYTES,
                                1,
                                new VmBody.Workload(4 * MIB, 2 * MIB, true),
                                List.of(),
                                BLACKOUT_BUDGET_MS,
                                null,
                                CONVERGENCE,
                                null));
                return true;
            } catch (CliFailure e) {
                return vms().containsKey(vm) && vms().get(vm).state().equals("RUNNING");
            }
        });
    }

    /** Takes a lost one out of the books. */
    void forget(String vm) throws IOException {
        awaitThat("VM " + vm + " can be destroyed", () -> {
            try {
                client.delete(ApiClient.path("vms", vm));
                return true;
            } catch (CliFailure e) {
                return !vms().containsKey(vm);
            }
        });
    }

    void uncordon(String host) throws IOException {
        awaitThat("host " + host + " can be uncordoned", () -> {
            try {
                client.post(ApiClient.path("hosts", host, "uncordon"), null);
                return true;
            } catch (CliFailure e) {
                return false;
            }
        });
    }

    /** Begins one, slow enough to be hit in all of its phases; its id. If the answer is lost it is looked for. */
    String evacuate(String host) throws IOException {
        AtomicReference<String> id = new AtomicReference<>("");
        awaitThat("host " + host + " can be emptied", () -> {
            try {
                id.set(client.view(
                                client.post(
                                        ApiClient.path("evacuations"),
                                        new EvacuationBody(
                                                List.of(host), false, new OptionsBody(null, true, 12 * MIB, null))),
                                EvacuationView.class)
                        .id());
            } catch (CliFailure e) {
                for (JsonNode one : patiently(() -> client.get(ApiClient.path("evacuations")))
                        .path("evacuations")) {
                    if (!OVER.contains(one.path("state").asText())) {
                        id.set(one.path("id").asText());
                    }
                }
            }
            return !id.get().isEmpty();
        });
        return id.get();
    }

    EvacuationView evacuation(String id) {
        return patiently(() -> client.view(client.get(ApiClient.path("evacuations", id)), EvacuationView.class));
    }

    /**
     * What is durable or live of an evacuation's way; differs as soon as something has gone on. Empty when no coordinator
     * knows at the moment.
     */
    Optional<String> progress(String id) {
        try {
            EvacuationView view =
                    impatient.view(impatient.get(ApiClient.path("evacuations", id)), EvacuationView.class);
            StringBuilder text = new StringBuilder(view.state());
            for (EvacuationView.VmRow row : view.vms()) {
                text.append('\n').append(row.vm()).append(row.state());
                if (row.state().equals("MIGRATING") && !row.migrations().isEmpty()) {
                    MigrationView migration = impatient.view(
                            impatient.get(ApiClient.path(
                                    "migrations", row.migrations().getLast())),
                            MigrationView.class);
                    text.append(migration.phase())
                            .append(migration
                                    .progress()
                                    .map(progress -> progress.stats().transferredBytes())
                                    .orElse(0L));
                }
            }
            return Optional.of(text.toString());
        } catch (CliFailure e) {
            return Optional.empty();
        }
    }

    /** Asks until {@code good}. */
    void awaitThat(String what, Supplier<Boolean> good) throws IOException {
        awaitThat(what, OUTAGE_MAX, good);
    }

    /** As {@link #awaitThat(String, Supplier)}, for at most {@code limit}. */
    void awaitThat(String what, Duration limit, Supplier<Boolean> good) throws IOException {
        long deadline = System.nanoTime() + limit.toNanos();
        while (!good.get()) {
            if (System.nanoTime() > deadline) {
                throw new IOException(limit.toSeconds() + " s were not enough until " + what);
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
    }

    private <T> T patiently(Supplier<T> question) {
        long deadline = System.nanoTime() + OUTAGE_MAX.toNanos();
        while (true) {
            try {
                return question.get();
            } catch (CliFailure e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                LockSupport.parkNanos(POLL_NANOS);
            }
        }
    }
}
