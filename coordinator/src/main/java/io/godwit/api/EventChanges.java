package io.godwit.api;

import io.godwit.proto.evacuation.EvacuationView;
import io.godwit.proto.migration.MigrationView;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What changed between two looks at the coordinator. The first look yields everything, so a client that comes back
 * after a break has missed nothing that still matters: each event holds the whole view. For one stream, by one thread at
 * a time.
 */
final class EventChanges {
    /** One look. */
    record Look(List<MigrationView> migrations, List<EvacuationView> evacuations) {}

    /**
     * One event.
     *
     * @param id number in its stream, from 1
     * @param type {@code migration} or {@code evacuation}
     * @param view the whole view
     */
    record Event(long id, String type, Object view) {}

    private final Map<String, MigrationView> migrations = new HashMap<>();
    private final Map<String, EvacuationView> evacuations = new HashMap<>();
    private long lastId;

    /** Events since the last look: migrations first, in the coordinator's order. */
    List<Event> since(Look look) {
        List<Event> events = new ArrayList<>();
        for (MigrationView view : look.migrations()) {
            if (!view.equals(migrations.put(view.id(), view))) {
                events.add(new Event(++lastId, "migration", view));
            }
        }
        for (EvacuationView view : look.evacuations()) {
            EvacuationView before = evacuations.put(view.id(), view);
            // its running time alone is no news
            if (before == null
                    || !before.state().equals(view.state())
                    || !before.vms().equals(view.vms())) {
                events.add(new Event(++lastId, "evacuation", view));
            }
        }
        return events;
    }
}
