package io.godwit.api;

import io.godwit.fleet.Coordinator;
import io.godwit.proto.migration.MigrationOptions;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** Routes of migrations and evacuations. */
final class MoveEndpoints {
    private final Coordinator coordinator;
    private final JsonCodec json;
    private final ApiSettings settings;

    MoveEndpoints(Coordinator coordinator, JsonCodec json, ApiSettings settings) {
        this.coordinator = coordinator;
        this.json = json;
        this.settings = settings;
    }

    List<Endpoint> table() {
        return List.of(
                new Endpoint(
                        "GET",
                        "/api/v1/migrations",
                        _ -> coordinator.migrations().thenApply(list -> Answer.ok(Map.of("migrations", list)))),
                new Endpoint("POST", "/api/v1/migrations", this::migrate),
                new Endpoint(
                        "GET",
                        "/api/v1/migrations/{id}",
                        call -> coordinator.migration(call.parameter("id")).thenApply(Answer::ok)),
                new Endpoint("PATCH", "/api/v1/migrations/{id}", this::adjust),
                new Endpoint(
                        "POST",
                        "/api/v1/migrations/{id}/cancel",
                        call -> coordinator
                                .cancelMigration(call.parameter("id"), "cancelled by the operator")
                                .thenApply(Answer::ok)),
                new Endpoint(
                        "GET",
                        "/api/v1/evacuations",
                        _ -> coordinator.evacuations().thenApply(list -> Answer.ok(Map.of("evacuations", list)))),
                new Endpoint("POST", "/api/v1/evacuations", this::evacuate),
                new Endpoint(
                        "GET",
                        "/api/v1/evacuations/{id}",
                        call -> coordinator.evacuation(call.parameter("id")).thenApply(Answer::ok)));
    }

    private CompletionStage<Answer> migrate(Endpoint.Call call) {
        MigrationBody body = json.read(call.body(), MigrationBody.class);
        String vm = body.wantedVm();
        MigrationOptions options = options(body.wantedOptions());
        return coordinator.fleet().thenCompose(fleet -> {
            FleetEndpoints.vm(fleet, vm);
            body.wantedHost().ifPresent(host -> FleetEndpoints.host(fleet, host));
            return coordinator
                    .startMigration(vm, body.wantedHost(), options)
                    .thenApply(view -> new Answer.Json(202, view));
        });
    }

    private CompletionStage<Answer> adjust(Endpoint.Call call) {
        LimitsBody body = json.read(call.body(), LimitsBody.class);
        return coordinator
                .adjustMigration(call.parameter("id"), body.wantedDowntimeLimitMs(), body.wantedBandwidth())
                .thenApply(Answer::ok);
    }

    private MigrationOptions options(OptionsBody body) {
        return body.over(settings.migrationDefaults(), settings.policies());
    }

    private CompletionStage<Answer> evacuate(Endpoint.Call call) {
        EvacuationBody body = json.read(call.body(), EvacuationBody.class);
        List<String> hosts = body.wantedHosts();
        MigrationOptions options = options(body.wantedOptions());
        return coordinator.fleet().thenCompose(fleet -> {
            hosts.forEach(host -> FleetEndpoints.host(fleet, host));
            return body.planOnly()
                    ? coordinator
                            .planEvacuation(hosts, options, body.mayMakeRoom())
                            .thenApply(plan -> Answer.ok(new PlanView(hosts, plan.complete(), plan.placements())))
                    : coordinator
                            .startEvacuation(hosts, options, body.mayMakeRoom())
                            .thenApply(view -> new Answer.Json(202, view));
        });
    }
}
