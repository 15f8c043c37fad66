package io.godwit.snapshot;

import org.apache.pekko.actor.testkit.typed.javadsl.LoggingTestKit;

/** Why a snapshot no longer reads. */
public enum Damage {
    /** Its last byte is another. */
    BYTES(
            "\"snapshot_payload\" = SUBSTRING(\"snapshot_payload\" FROM 1 FOR LENGTH(\"snapshot_payload\") - 1) || X'A7'"),
    /** Its bytes end too early. */
    TRUNCATED("\"snapshot_payload\" = SUBSTRING(\"snapshot_payload\" FROM 1 FOR 5)"),
    /** It is of a class that this version does not know. */
    CLASS_ID("\"snapshot_ser_manifest\" = '299'"),
    /** It was written by a serializer that this version does not have. */
    SERIALIZER("\"snapshot_ser_id\" = 987654");

    private final String change;

    Damage(String change) {
        this.change = change;
    }

    /** Damages every snapshot of {@code id}. */
    public void to(H2Store store, String id) {
        store.change("UPDATE \"snapshot\" SET " + change + " WHERE \"persistence_id\" = ?", id);
    }

    /** The entity {@code id}, started by {@code start}, must drop a snapshot. */
    public void expectDropped(H2Store store, String id, Runnable start) {
        LoggingTestKit.info("Snapshot load error for persistenceId [PersistenceId(" + id + ")]")
                .expect(store.kit.system(), () -> {
                    start.run();
                    return true;
                });
    }
}
