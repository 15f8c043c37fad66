package io.godwit.bench;

import java.io.IOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Holds a commit of the ledger in the database, before it is durable, so that a moment which otherwise lasts a millisecond can
 * be hit: everything is loaded, the VM stands, and nothing is decided. A trigger on the journal; the product knows nothing of it.
 */
final class LedgerHold implements AutoCloseable {
    private static final int HOLD_MS = 1_000;
    private static final String PREFIX = "Ownership|";
    private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(2);
    private static final String INSTALL = """
            CREATE TABLE IF NOT EXISTS crash_loop_hold (millis int);
            CREATE OR REPLACE FUNCTION crash_loop_hold() RETURNS trigger LANGUAGE plpgsql AS $$
            DECLARE wanted int;
            BEGIN
              SELECT millis INTO wanted FROM crash_loop_hold;
              IF wanted IS NOT NULL THEN
                PERFORM set_config('application_name', NEW.persistence_id, false);
                PERFORM pg_sleep(wanted / 1000.0);
              END IF;
              RETURN NEW;
            END $$;
            CREATE OR REPLACE TRIGGER crash_loop_hold BEFORE INSERT ON event_journal FOR EACH ROW
              WHEN (NEW.event_ser_manifest = 'LedgerCommitted') EXECUTE FUNCTION crash_loop_hold();
            """;

    private final Connection connection;

    /** @param url of the store, once its tables are made */
    LedgerHold(String url) throws IOException {
        try {
            connection = DriverManager.getConnection(url);
            try (Statement statement = connection.createStatement()) {
                statement.execute(INSTALL);
            }
        } catch (SQLException e) {
            throw new IOException("the ledger cannot be held: " + e.getMessage(), e);
        }
    }

    /** From now on commits are held, each for a second, until {@link #await} has seen one. */
    void arm() throws IOException {
        run("DELETE FROM crash_loop_hold; INSERT INTO crash_loop_hold VALUES (" + HOLD_MS + ")");
    }

    /** Name of the VM whose commit is held at the moment; waits for one, empty when none comes. No further one is held. */
    Optional<String> await(long limitMs) throws IOException {
        try {
            return poll(
                            "SELECT application_name FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND application_name"
                                    + " LIKE ?",
                            PREFIX + "%",
                            limitMs)
                    .map(name -> name.substring(PREFIX.length()));
        } finally {
            run("DELETE FROM crash_loop_hold");
        }
    }

    /** How many commits of the VM are durable. */
    int commits(String vm) throws IOException {
        return poll(
                        "SELECT count(*) FROM event_journal WHERE event_ser_manifest = 'LedgerCommitted' AND"
                                + " persistence_id = ?",
                        PREFIX + vm,
                        1)
                .map(Integer::parseInt)
                .orElse(0);
    }

    private void run(String sql) throws IOException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        } catch (SQLException e) {
            throw new IOException("the ledger cannot be held: " + e.getMessage(), e);
        }
    }

    private Optional<String> poll(String question, String parameter, long limitMs) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(limitMs);
        try (PreparedStatement statement = connection.prepareStatement(question)) {
            statement.setString(1, parameter);
            do {
                try (ResultSet rows = statement.executeQuery()) {
                    if (rows.next()) {
                        return Optional.of(rows.getString(1));
                    }
                }
                LockSupport.parkNanos(POLL_NANOS);
            } while (System.nanoTime() < deadline);
            return Optional.empty();
        } catch (SQLException e) {
            throw new IOException("the ledger cannot be watched: " + e.getMessage(), e);
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
