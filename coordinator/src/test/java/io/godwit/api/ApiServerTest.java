package io.godwit.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ApiServerTest {
    private ApiFixture api;

    @BeforeAll
    void serve() {
        api = new ApiFixture();
    }

    @AfterAll
    void stop() {
        api.close();
    }

    @Test
    void listsHostsAsTheCoordinatorSeesThem() throws Exception {
        HttpResponse<String> response = api.send("GET", "/api/v1/hosts", "");
        assertThat(response.statusCode()).isEqualTo(200);
        JsonNode hosts = json(response).path("hosts");
        assertThat(hosts).hasSize(2);
        assertThat(hosts.get(0)
                        .path("inventory")
                        .path("capacity")
                        .path("devices")
                        .path("gpu")
                        .asInt())
                .isEqualTo(2);
    }

    @Test
    void cordonsAHostAndShowsIt() throws Exception {
        assertThat(json(api.send("POST", "/api/v1/hosts/host-2/cordon", ""))
                        .path("cordoned")
                        .asBoolean())
                .isTrue();
        assertThat(json(api.send("POST", "/api/v1/hosts/host-2/uncordon", ""))
                        .path("cordoned")
                        .asBoolean(true))
                .isFalse();
    }

    @Test
    void createsAVmOnceAndRefusesTheSecondOfThatName() throws Exception {
        String body = "{\"name\":\"vm-new\",\"memoryBytes\":67108864,\"devices\":[{\"name\":\"g\",\"model\":\"gpu\"}]}";
        HttpResponse<String> first = api.send("POST", "/api/v1/vms", body);
        assertThat(first.statusCode()).isEqualTo(201);
        assertThat(json(first).path("host").asText()).isEqualTo("host-1");
        assertThat(json(first)
                        .path("spec")
                        .path("devices")
                        .get(0)
                        .path("dirtyReporting")
                        .asText())
                .isEqualTo("PERSISTENT");
        HttpResponse<String> second = api.send("POST", "/api/v1/vms", body);
        assertThat(second.statusCode()).isEqualTo(409);
        assertThat(error(second, "kind")).isEqualTo("refused");
        assertThat(api.send("DELETE", "/api/v1/vms/vm-new", "").statusCode()).isEqualTo(200);
        assertThat(api.send("DELETE", "/api/v1/vms/vm-new", "").statusCode()).isEqualTo(404);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"nam\":\"x\"} | unknown field 'nam'; expected blackoutBudgetMs, containers, convergence, devices",
                "{\"name\":7} | field 'name' has the wrong type; expected a string",
                "{\"name\":\"x\",\"memoryBytes\":\"64\"} | field 'memoryBytes' has the wrong type; expected a whole number",
                "{\"name\":\"x\",\"memoryBytes\":1.5} | field 'memoryBytes' has the wrong type; expected a whole number",
                "{\"name\":\"x\",\"memoryBytes\":1000} | field 'memoryBytes' is 1000; expected a multiple of 2 MiB",
                "{\"name\":\"x\"} | field 'memoryBytes' is missing",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"ha\":\"always\"} | field 'ha' is 'always'; expected one of leave, restart",
                "{\"name\":\"../x\",\"memoryBytes\":67108864} | field 'name' is '../x'; expected 1 to 63 letters",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"devices\":[{\"name\":\"d\",\"model\":\"gpu\",\"sise\":1}]}"
                        + " | unknown field 'devices[0].sise'",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"devices\":{}} | field 'devices' has the wrong type; expected an array",
                "{\"name\":\"x\",\"name\":\"y\"} | Duplicate field 'name'",
                "{\"name\":\"x\",\"memoryBytes\":67108864} {} | expected",
                "{\"name\" | the body is not JSON",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"qemu\":{}} | field 'qemu' is given for a VM with driver auto",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"driver\":\"qemu\",\"qemu\":{\"disks\":[null]}}"
                        + " | field 'qemu.disks[0]' is null",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"driver\":\"qemu\",\"qemu\":{\"nics\":[{\"mac\":\"x\"}]}}"
                        + " | field 'qemu.nics[0].backend' is missing",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"driver\":\"qemu\",\"qemu\":{\"capabilities\":[\"a b\"]}}"
                        + " | field 'qemu.capabilities[0]' is 'a b'; expected a migration capability",
                "[] | the body has the wrong type; expected a JSON object",
                "{\"name\":\"x\",\"memoryBytes\":67108864,\"workload\":{\"workingSetBytes\":67108864}} | expected at most 65011712"
            })
    void refusesABodyItDoesNotUnderstandNamingWhatIsWrong(String body, String message) throws Exception {
        HttpResponse<String> response = api.send("POST", "/api/v1/vms", body);
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response, "kind")).isEqualTo("bad-request");
        assertThat(error(response, "message")).contains(message);
    }

    @ParameterizedTest
    @CsvSource({
        "GET,/api/v1/hosts/nope,404",
        "POST,/api/v1/hosts/nope/cordon,404",
        "GET,/api/v1/vms/nope,404",
        "GET,/api/v1/migrations/nope,404",
        "POST,/api/v1/migrations/nope/cancel,409",
        "POST,/api/v1/vms/vm-a/check,503",
        "GET,/api/v1/nope,404",
        "DELETE,/api/v1/hosts,405"
    })
    void answersEveryFailureInOneShape(String method, String path, int status) throws Exception {
        HttpResponse<String> response = api.send(method, path, "");
        assertThat(response.statusCode()).isEqualTo(status);
        assertThat(error(response, "kind")).isNotEmpty();
        assertThat(error(response, "message")).isNotEmpty();
        assertThat(response.headers().firstValue("Retry-After"))
                .isEqualTo(status == 503 ? Optional.of("2") : Optional.empty());
    }

    @Test
    void namesTheUnknownHostOfAnEvacuation() throws Exception {
        HttpResponse<String> response = api.send("POST", "/api/v1/evacuations", "{\"hosts\":[\"host-1\",\"host-9\"]}");
        assertThat(response.statusCode()).isEqualTo(404);
        assertThat(error(response, "message")).contains("host-9");
    }

    @Test
    void fillsInTheOptionsThatARequestLeavesOut() throws Exception {
        api.send(
                "POST",
                "/api/v1/migrations",
                "{\"vm\":\"vm-a\",\"options\":{\"downtimeLimitMs\":50,\"verify\":false}}");
        assertThat(api.coordinator.lastOptions.get().downtimeLimitMs()).isEqualTo(50);
        assertThat(api.coordinator.lastOptions.get().verify()).isFalse();
        assertThat(api.coordinator.lastOptions.get().handoffDeadlineMs()).isPositive();
        api.send("POST", "/api/v1/evacuations", "{\"hosts\":[\"host-1\"]}");
        assertThat(api.coordinator.lastOptions.get().verify()).isTrue();
    }

    @Test
    void changesTheLimitsOfAMigrationThatPreCopies() throws Exception {
        api.coordinator.migrations.put("m-7", FakeCoordinator.climbed("m-7", "vm-a"));
        HttpResponse<String> response =
                api.send("PATCH", "/api/v1/migrations/m-7", "{\"bandwidthBytesPerSecond\":2097152}");
        assertThat(response.statusCode()).isEqualTo(200);
        JsonNode limits = json(response).path("limits");
        assertThat(limits.path("bandwidthBytesPerSecond").asLong()).isEqualTo(2 << 20);
        assertThat(limits.path("downtimeLimitMs").asLong()).isEqualTo(300);
        assertThat(json(response).path("steps").get(0).path("reason").asText()).isEqualTo("set by an operator");
        assertThat(json(response)
                        .path("progress")
                        .path("cpuDirtyBytesPerSecond")
                        .asLong())
                .isPositive();
        HttpResponse<String> over = api.send("PATCH", "/api/v1/migrations/m-7", "{\"downtimeLimitMs\":5000}");
        assertThat(over.statusCode()).isEqualTo(409);
        assertThat(error(api.send("PATCH", "/api/v1/migrations/m-7", "{}"), "message"))
                .isEqualTo("nothing to change; expected 'downtimeLimitMs', 'bandwidthBytesPerSecond' or both");
    }

    @Test
    void refusesAConvergencePolicyThatNobodyKnows() throws Exception {
        for (String path : new String[] {"migrations", "evacuations"}) {
            HttpResponse<String> response = api.send(
                    "POST",
                    "/api/v1/" + path,
                    "{\"vm\":\"vm-a\",\"hosts\":[\"host-1\"],\"options\":{\"convergence\":\"harsh\"}}"
                            .replace(path.equals("migrations") ? "\"hosts\":[\"host-1\"]," : "\"vm\":\"vm-a\",", ""));
            assertThat(response.statusCode()).isEqualTo(400);
            assertThat(error(response, "message"))
                    .startsWith("field 'options.convergence': no convergence policy 'harsh'; expected one of firm");
        }
    }

    @Test
    void showsTheHistoryOfAVm() throws Exception {
        HttpResponse<String> response = api.send("GET", "/api/v1/vms/vm-a/history", "");
        assertThat(response.statusCode()).isEqualTo(200);
        JsonNode move = json(response).path("migrations").get(0);
        assertThat(move.path("migration").path("steps")).hasSize(2);
        assertThat(move.path("devices").get(0).path("hooks").get(0).path("hook").asText())
                .isEqualTo("SAVE_SETUP");
        assertThat(api.send("GET", "/api/v1/vms/nope/history", "").statusCode()).isEqualTo(404);
    }

    @Test
    void plansWithoutChangingAnythingOnADryRun() throws Exception {
        api.coordinator.lastOptions.set(null);
        HttpResponse<String> response =
                api.send("POST", "/api/v1/evacuations", "{\"hosts\":[\"host-1\"],\"dryRun\":true}");
        assertThat(response.statusCode()).isEqualTo(200);
        assertThat(json(response).path("placements").get(0).path("to").asText()).isEqualTo("host-2");
        assertThat(api.coordinator.lastOptions.get()).isNull();
    }

    @Test
    void refusesABodyOverTheLimit() throws Exception {
        HttpResponse<String> response = api.send("POST", "/api/v1/vms", "{\"name\":\"" + "x".repeat(300_000) + "\"}");
        assertThat(response.statusCode()).isEqualTo(413);
    }

    @Test
    void refusesAPageOfAnotherSite() throws Exception {
        var request = api.request("/api/v1/hosts/host-1/cordon")
                .header("Origin", "http://evil.example")
                .POST(java.net.http.HttpRequest.BodyPublishers.noBody())
                .build();
        var response = api.http.send(request, HttpResponse.BodyHandlers.ofString());
        assertThat(response.statusCode()).isEqualTo(400);
        assertThat(error(response, "message")).contains("evil.example");
    }

    @Test
    void streamsChangesWithIdsAndLimitsTheStreams() throws Exception {
        api.send("POST", "/api/v1/migrations", "{\"vm\":\"vm-a\"}");
        var response = api.http.send(api.request("/api/v1/events").build(), HttpResponse.BodyHandlers.ofInputStream());
        assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("text/event-stream");
        try (InputStream body = response.body();
                BufferedReader lines = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("id: 1");
            assertThat(lines.readLine()).isEqualTo("event: migration");
            assertThat(lines.readLine()).startsWith("data: {\"id\":\"m-");
            assertThat(api.send("GET", "/api/v1/events", "").statusCode()).isEqualTo(503);
        }
    }

    @Test
    void servesItsOwnDescription() throws Exception {
        assertThat(api.send("GET", "/openapi.yaml", "").body()).startsWith("openapi: 3.1.0");
        assertThat(api.send("GET", "/healthz", "").statusCode()).isEqualTo(200);
    }

    private static JsonNode json(HttpResponse<String> response) throws Exception {
        return JsonCodec.lenient().readTree(response.body());
    }

    private static String error(HttpResponse<String> response, String field) throws Exception {
        return json(response).path("error").path(field).asText();
    }
}
