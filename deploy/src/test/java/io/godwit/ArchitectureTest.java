package io.godwit;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaCall.Predicates.target;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.core.domain.properties.HasOwner.Predicates.With.owner;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.GeneralCodingRules;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.stream.Stream;

/** The borders between the modules, and what keeps the core simulatable: no clock, randomness or thread of its own. */
@AnalyzeClasses(packages = "io.godwit", importOptions = ImportOption.DoNotIncludeTests.class)
final class ArchitectureTest {
    private static final String[] PROTO = {"io.godwit.proto.."};
    private static final String[] DEVICE_ACTORS = {
        "io.godwit.vm..", "io.godwit.device..", "io.godwit.memory..", "io.godwit.migration..", "io.godwit.stream.."
    };
    private static final String[] HOST_AGENT = {"io.godwit.agent.."};
    private static final String[] COORDINATOR = {
        "io.godwit.fleet..",
        "io.godwit.plan..",
        "io.godwit.convergence..",
        "io.godwit.units..",
        "io.godwit.evacuation..",
        "io.godwit.lease..",
        "io.godwit.ownership..",
        "io.godwit.snapshot..",
        "io.godwit.chaos..",
        "io.godwit.api..",
        "io.godwit.cli..",
        "io.godwit.web.."
    };

    /** At the edge: they own real clocks, threads and terminals, and hand them inwards. */
    private static final String[] EDGE = {
        "io.godwit.agent..", "io.godwit.cli..", "io.godwit.demo..", "io.godwit.launch..", "io.godwit.bench.."
    };

    private static final String[] TERMINAL = {
        "io.godwit.cli..", "io.godwit.demo..", "io.godwit.launch..", "io.godwit.bench.."
    };

    @ArchTest
    static final ArchRule protoDependsOnNoOtherModule = onlyDependsOn(PROTO);

    @ArchTest
    static final ArchRule deviceActorsDependOnProtoOnly = onlyDependsOn(DEVICE_ACTORS, PROTO);

    @ArchTest
    static final ArchRule hostAgentDependsOnDeviceActorsAndProtoOnly = onlyDependsOn(HOST_AGENT, DEVICE_ACTORS, PROTO);

    @ArchTest
    static final ArchRule coordinatorDependsOnProtoOnly = onlyDependsOn(COORDINATOR, PROTO);

    @ArchTest
    static final ArchRule timeComesFromAnInjectedClock = noClasses()
            .that(resideInAPackage("io.godwit..").and(not(resideInAnyPackage(EDGE))))
            .should()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(Instant.class, "now")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule randomnessComesFromASeed = noClasses()
            .that(resideInAPackage("io.godwit..").and(not(resideInAnyPackage(EDGE))))
            .should()
            .callConstructor(Random.class)
            .orShould()
            .callMethod(Math.class, "random")
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule threadsComeFromAnInjectedExecutor = noClasses()
            .that(resideInAPackage("io.godwit..").and(not(resideInAnyPackage(EDGE))))
            .should()
            .callConstructorWhere(target(owner(type(Thread.class))))
            .orShould()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(Thread.class, "sleep", long.class, int.class)
            .orShould()
            .callMethod(Thread.class, "sleep", Duration.class)
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule onlyTheTerminalWritesToStandardStreams = noClasses()
            .that(resideInAPackage("io.godwit..").and(not(resideInAnyPackage(TERMINAL))))
            .should(GeneralCodingRules.ACCESS_STANDARD_STREAMS)
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule logsGoThroughSlf4j = noClasses()
            .that(resideInAPackage("io.godwit..").and(not(resideInAnyPackage(TERMINAL))))
            .should(GeneralCodingRules.USE_JAVA_UTIL_LOGGING)
            .allowEmptyShould(true);

    /** Of our own packages, {@code inside} sees itself and {@code others} only. */
    private static ArchRule onlyDependsOn(String[] inside, String[]... others) {
        String[] allowed = Stream.concat(Stream.of(inside), Stream.of(others).flatMap(Stream::of))
                .toArray(String[]::new);
        return noClasses()
                .that()
                .resideInAnyPackage(inside)
                .should()
                .dependOnClassesThat(resideInAPackage("io.godwit..").and(not(resideInAnyPackage(allowed))))
                .allowEmptyShould(true);
    }
}
