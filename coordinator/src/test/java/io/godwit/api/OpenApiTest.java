package io.godwit.api;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.typesafe.config.ConfigFactory;
import io.godwit.fleet.Fenced;
import io.godwit.fleet.VmHistory;
import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.fleet.HostView;
import io.godwit.proto.fleet.VmView;
import io.godwit.proto.host.VmStatus;
import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.MigrationView;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.migration.SaveStats;
import io.godwit.proto.ownership.OwnershipView;
import io.godwit.proto.vm.DeviceLog;
import io.godwit.proto.vm.GuestCheck;
import io.godwit.proto.vm.VmSpec;
import java.io.InputStream;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class OpenApiTest {
    private static final List<String> METHODS = List.of("get", "post", "put", "delete", "patch");

    @Test
    void describesExactlyTheRoutesThatAreServed() throws Exception {
        TreeSet<String> served = new TreeSet<>();
        new ApiRoutes(new FakeCoordinator(), new JsonCodec(), ApiSettings.of(ConfigFactory.load()))
                .endpoints()
                .forEach(endpoint -> served.add(endpoint.method() + " " + endpoint.path()));
        TreeSet<String> described = new TreeSet<>();
        document()
                .path("paths")
                .properties()
                .forEach(path -> path.getValue().fieldNames().forEachRemaining(key -> {
                    if (METHODS.contains(key)) {
                        described.add(key.toUpperCase(Locale.ROOT) + " " + path.getKey());
                    }
                }));
        assertThat(described).isEqualTo(served);
    }

    @Test
    void describesEveryFieldOfEveryBodyAndView() throws Exception {
        Map<String, Class<?>> schemas = Map.ofEntries(
                Map.entry("VmBody", VmBody.class),
                Map.entry("DeviceBody", VmBody.Device.class),
                Map.entry("QemuBody", QemuBody.class),
                Map.entry("QemuDisk", QemuBody.Disk.class),
                Map.entry("QemuNic", QemuBody.Nic.class),
                Map.entry("OptionsBody", OptionsBody.class),
                Map.entry("ContainerBody", VmBody.Container.class),
                Map.entry("LimitsBody", LimitsBody.class),
                Map.entry("FenceBody", FenceBody.class),
                Map.entry("Fenced", Fenced.class),
                Map.entry("SaveStats", SaveStats.class),
                Map.entry("SaveLimits", SaveLimits.class),
                Map.entry("ConvergenceStep", ConvergenceStep.class),
                Map.entry("Progress", Progress.class),
                Map.entry("VmHistory", VmHistory.class),
                Map.entry("DeviceLog", DeviceLog.class),
                Map.entry("MigrationBody", MigrationBody.class),
                Map.entry("EvacuationBody", EvacuationBody.class),
                Map.entry("VmSpec", VmSpec.class),
                Map.entry("HostView", HostView.class),
                Map.entry("VmView", VmView.class),
                Map.entry("VmStatus", VmStatus.class),
                Map.entry("GuestCheck", GuestCheck.class),
                Map.entry("OwnershipView", OwnershipView.class),
                Map.entry("MigrationView", MigrationView.class),
                Map.entry("EvacuationView", EvacuationView.class),
                Map.entry("PlanView", PlanView.class),
                Map.entry("ErrorBody", ErrorBody.class));
        for (var schema : schemas.entrySet()) {
            List<String> described = new ArrayList<>();
            document()
                    .path("components")
                    .path("schemas")
                    .path(schema.getKey())
                    .path("properties")
                    .fieldNames()
                    .forEachRemaining(described::add);
            assertThat(described)
                    .as(schema.getKey())
                    .containsExactlyInAnyOrderElementsOf(
                            Arrays.stream(schema.getValue().getRecordComponents())
                                    .map(RecordComponent::getName)
                                    .toList());
        }
    }

    private static JsonNode document() throws Exception {
        try (InputStream in = ApiRoutes.class.getResourceAsStream("openapi.yaml")) {
            return new YAMLMapper().readTree(in);
        }
    }
}
