package io.godwit.fleet;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.persistence.jdbc.testkit.javadsl.SchemaUtils;

/**
 * Where the journal is: an H2 file of this coordinator alone, or a PostgreSQL database that several coordinators share.
 *
 * @param url JDBC URL
 */
record Store(String url, String user, String password) {
    private static final String POSTGRES = "jdbc:postgresql:";

    /** Any number that nobody else locks in the same database. */
    private static final long SCHEMA_LOCK = 0x676f64776974L;

    /** Between two looks at tables that another coordinator makes. */
    private static final Duration TURN = Duration.ofMillis(100);

    /**
     * What {@code config} names; without one, a file in {@code dataDir}.
     *
     * @throws IOException when the URL is of no store that we know, or several coordinators were to share a file
     */
    static Store of(Config config, Path dataDir, int coordinators) throws IOException {
        Config own = config.getConfig("godwit.coordinator.store");
        String url = own.getString("url");
        if (!url.isBlank() && !url.startsWith(POSTGRES)) {
            throw new IOException("the store's URL is '" + url + "'; expected " + POSTGRES + "//HOST/DATABASE, or none"
                    + " for a file in the data folder");
        }
        if (url.isBlank() && coordinators > 1) {
            throw new IOException(coordinators + " coordinators need a store that they share; expected --store "
                    + POSTGRES + "//HOST/DATABASE, or godwit.coordinator.store.url");
        }
        return url.isBlank()
                // one file, written at every commit, so that a killed process loses nothing it has answered for
                ? new Store(
                        "jdbc:h2:file:" + dataDir.toAbsolutePath().resolve("journal")
                                + ";DB_CLOSE_ON_EXIT=FALSE;WRITE_DELAY=0",
                        "godwit",
                        "")
                : new Store(url, own.getString("user"), own.getString("password"));
    }

    private boolean postgres() {
        return url.startsWith(POSTGRES);
    }

    /** Settings of the database for the actor system. */
    Config settings() {
        Map<String, Object> settings = new HashMap<>();
        String db = "pekko-persistence-jdbc.shared-databases.slick.";
        settings.put(db + "db.url", url);
        settings.put(db + "db.user", user);
        settings.put(db + "db.password", password);
        Config named = ConfigFactory.parseMap(settings);
        return postgres() ? named.withFallback(ConfigFactory.parseResources("godwit-postgres.conf")) : named;
    }

    /**
     * Makes the tables unless they are there. Coordinators that start at the same time take turns. Blocking.
     *
     * @throws IOException when the store cannot be reached or not be written to: which, and why
     */
    void prepare(ActorSystem<?> system, Duration limit) throws IOException {
        try {
            if (!postgres()) {
                makeTables(system, limit);
                return;
            }
            Properties properties = new Properties();
            properties.setProperty("user", user);
            properties.setProperty("password", password);
            properties.setProperty("connectTimeout", String.valueOf(limit.toSeconds()));
            properties.setProperty("socketTimeout", String.valueOf(limit.toSeconds()));
            try (Connection connection = DriverManager.getConnection(url, properties);
                    Statement statement = connection.createStatement()) {
                long waits = limit.dividedBy(TURN);
                while (!tablesThere(statement)) {
                    if (yes(statement, "SELECT pg_try_advisory_lock(" + SCHEMA_LOCK + ")")) {
                        // the lock goes with the connection
                        makeTables(system, limit);
                        break;
                    }
                    // not a lock that waits: an index that is made concurrently would wait for whoever waits for it
                    if (--waits <= 0) {
                        throw new TimeoutException(
                                "another coordinator has been making its tables for " + limit.toSeconds() + " s");
                    }
                    LockSupport.parkNanos(TURN.toNanos());
                }
            }
        } catch (SQLException | ExecutionException | TimeoutException e) {
            throw new IOException(
                    "the store at " + url + " cannot be used: " + rootMessage(e) + "; expected one that user '" + user
                            + "' may make tables in",
                    e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while opening the store at " + url, e);
        }
    }

    /** The last ones that are made; the statements that make them do not bear being run twice. */
    private static boolean tablesThere(Statement statement) throws SQLException {
        return yes(
                statement,
                "SELECT to_regclass('event_tag') IS NOT NULL AND to_regclass('snapshot') IS NOT NULL"
                        + " AND to_regclass('durable_state') IS NOT NULL");
    }

    private static boolean yes(Statement statement, String question) throws SQLException {
        try (ResultSet answer = statement.executeQuery(question)) {
            return answer.next() && answer.getBoolean(1);
        }
    }

    private static void makeTables(ActorSystem<?> system, Duration limit)
            throws ExecutionException, InterruptedException, TimeoutException {
        SchemaUtils.createIfNotExists(system).toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
    }

    private static String rootMessage(Throwable e) {
        Throwable root = e;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root.getMessage() == null ? root.toString() : root.getMessage().strip();
    }
}
