package io.godwit.snapshot;

import com.typesafe.config.ConfigFactory;
import com.typesafe.config.ConfigValueFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.persistence.jdbc.testkit.javadsl.SchemaUtils;

/** An actor system with a coordinator's own settings and its H2 store, whose tables a test may look into and damage. */
public final class H2Store implements AutoCloseable {
    private static final AtomicInteger SYSTEMS = new AtomicInteger();

    /** Its actor system. */
    public final ActorTestKit kit;

    private final String url;

    /** @param overrides win over every other setting */
    public H2Store(Path folder, String overrides) {
        url = "jdbc:h2:file:" + folder.toAbsolutePath().resolve("journal") + ";DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0";
        kit = ActorTestKit.create(
                "store-" + SYSTEMS.incrementAndGet(),
                ConfigFactory.load(ConfigFactory.parseString(overrides)
                        .withFallback(ConfigFactory.parseString("pekko.actor.provider = local"))
                        .withValue(
                                "pekko-persistence-jdbc.shared-databases.slick.db.url",
                                ConfigValueFactory.fromAnyRef(url))
                        .withFallback(ConfigFactory.parseResources("godwit-coordinator.conf"))));
        SchemaUtils.createIfNotExists(kit.system()).toCompletableFuture().join();
    }

    /** Sequence numbers of the snapshots of {@code id}, oldest first. */
    public List<Long> snapshots(String id) {
        return numbers("SELECT \"sequence_number\" FROM \"snapshot\" WHERE \"persistence_id\" = ? ORDER BY 1", id);
    }

    /** Sequence numbers of the events of {@code id}, oldest first. */
    public List<Long> events(String id) {
        return numbers("SELECT \"sequence_number\" FROM \"event_journal\" WHERE \"persistence_id\" = ? ORDER BY 1", id);
    }

    private List<Long> numbers(String sql, String id) {
        try (Connection connection = DriverManager.getConnection(url, "godwit", "");
                PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, id);
            List<Long> found = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.add(rows.getLong(1));
                }
            }
            return found;
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Changes rows; throws when there are none to change. */
    public void change(String sql, Object... parameters) {
        try (Connection connection = DriverManager.getConnection(url, "godwit", "");
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            if (statement.executeUpdate() == 0) {
                throw new IllegalStateException("no row changed by " + sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(sql, e);
        }
    }

    /** Takes away what the newest snapshot of {@code id} covers: without the snapshot its state is lost. */
    public void deleteEventsBeforeSnapshot(String id) {
        change(
                "DELETE FROM \"event_journal\" WHERE \"persistence_id\" = ? AND \"sequence_number\" <= ?",
                id,
                snapshots(id).getLast());
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
    }
}
