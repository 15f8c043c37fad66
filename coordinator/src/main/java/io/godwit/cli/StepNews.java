package io.godwit.cli;

import io.godwit.proto.migration.ConvergenceStep;
import io.godwit.proto.migration.MigrationView;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The convergence steps of migrations, each told once: a line such as {@code vm-3: throttle:30%: the guest dirties ...}. */
final class StepNews {
    private final Map<String, Integer> told = new HashMap<>();

    /** Lines for the steps that were taken since the last look at this migration, in order. */
    List<String> of(MigrationView view) {
        List<ConvergenceStep> steps = view.steps();
        int known = Math.min(told.getOrDefault(view.id(), 0), steps.size());
        told.put(view.id(), steps.size());
        return steps.subList(known, steps.size()).stream()
                .map(step -> view.vm() + ": " + step.step() + ": " + step.reason())
                .toList();
    }
}
