package io.godwit.api;

import io.godwit.convergence.Policies;
import io.godwit.fleet.Coordinator;
import io.godwit.proto.fleet.FleetReply.FleetShown;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.vm.VmSpec;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Routes of hosts and VMs. */
final class FleetEndpoints {
    private final Coordinator coordinator;
    private final JsonCodec json;

    private final Policies policies;

    FleetEndpoints(Coordinator coordinator, JsonCodec json, Policies policies) {
        this.coordinator = coordinator;
        this.json = json;
        this.policies = policies;
    }

    List<Endpoint> table() {
        return List.of(
                new Endpoint(
                        "GET",
                        "/api/v1/hosts",
                        _ -> coordinator.fleet().thenApply(fleet -> Answer.ok(Map.of("hosts", fleet.hosts())))),
                new Endpoint("GET", "/api/v1/hosts/{id}", call -> showHost(call.parameter("id"))),
                new Endpoint("POST", "/api/v1/hosts/{id}/cordon", call -> cordon(call.parameter("id"), true)),
                new Endpoint("POST", "/api/v1/hosts/{id}/uncordon", call -> cordon(call.parameter("id"), false)),
                new Endpoint("POST", "/api/v1/hosts/{id}/fence", this::fence),
                new Endpoint(
                        "GET",
                        "/api/v1/vms",
                        _ -> coordinator.fleet().thenApply(fleet -> Answer.ok(Map.of("vms", fleet.vms())))),
                new Endpoint("POST", "/api/v1/vms", this::createVm),
                new Endpoint(
                        "GET",
                        "/api/v1/vms/{name}",
                        call -> coordinator.fleet().thenApply(fleet -> Answer.ok(vm(fleet, call.parameter("name"))))),
                new Endpoint(
                        "DELETE",
                        "/api/v1/vms/{name}",
                        call -> coordinator
                                .destroyVm(call.parameter("name"))
                                .thenApply(_ -> Answer.ok(Map.of("destroyed", call.parameter("name"))))),
                new Endpoint(
                        "POST",
                        "/api/v1/vms/{name}/check",
                        call -> coordinator.checkVm(call.parameter("name")).thenApply(Answer::ok)),
                new Endpoint(
                        "GET",
                        "/api/v1/vms/{name}/history",
                        call -> coordinator.vmHistory(call.parameter("name")).thenApply(Answer::ok)),
                new Endpoint(
                        "GET",
                        "/api/v1/vms/{name}/ownership",
                        call -> coordinator.ownership(call.parameter("name")).thenApply(Answer::ok)));
    }

    private CompletionStage<Answer> showHost(String id) {
        return coordinator.fleet().thenApply(fleet -> Answer.ok(host(fleet, id)));
    }

    private CompletionStage<Answer> cordon(String id, boolean cordoned) {
        return coordinator.fleet().thenCompose(fleet -> {
            host(fleet, id);
            return coordinator.cordon(id, cordoned).thenCompose(_ -> showHost(id));
        });
    }

    private CompletionStage<Answer> fence(Endpoint.Call call) {
        var _ = json.read(call.body(), FenceBody.class).requireConfirmed();
        return coordinator.fleet().thenCompose(fleet -> {
            HostView known = host(fleet, call.parameter("id"));
            return coordinator.fence(known.host()).thenApply(Answer::ok);
        });
    }

    private CompletionStage<Answer> createVm(Endpoint.Call call) {
        VmBody body = json.read(call.body(), VmBody.class);
        VmSpec spec = body.spec(policies);
        return coordinator
                .fleet()
                .thenCompose(fleet -> {
                    body.wantedHost().ifPresent(host -> host(fleet, host));
                    return coordinator.createVm(spec, body.wantedHost());
                })
                // the ledger knows already where the VM is; the fleet's view waits for the host's next report
                .thenCompose(status -> coordinator
                        .ownership(spec.name())
                        .thenApply(owner -> new Answer.Json(
                                201,
                                new VmView(
                                        status.spec(),
                                        status.runState().name(),
                                        owner.host(),
                                        status.epoch(),
                                        status.migration(),
                                        status.failure()))));
    }

    /** The host of that id, or 404. */
    static HostView host(FleetShown fleet, String id) {
        return fleet.hosts().stream()
                .filter(host -> host.host().equals(id))
                .findFirst()
                .orElseThrow(() -> ApiProblem.notFound("no host '" + id + "'"));
    }

    /** The VM of that name, or 404. */
    static VmView vm(FleetShown fleet, String name) {
        return fleet.vms().stream()
                .filter(vm -> vm.spec().name().equals(name))
                .findFirst()
                .orElseThrow(() -> ApiProblem.notFound("no VM '" + name + "'"));
    }
}
