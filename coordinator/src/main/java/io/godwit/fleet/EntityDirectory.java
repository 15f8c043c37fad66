package io.godwit.fleet;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;

/**
 * Lists entities of one type: their ids come from the journal, which knows every one that has ever persisted anything.
 *
 * @param <V> what each says of itself
 */
public final class EntityDirectory<V> {
    private final ActorSystem<?> system;
    private final Supplier<CompletionStage<List<String>>> persistenceIds;
    private final String prefix;
    private final int parallelism;
    private final Function<String, CompletionStage<Optional<V>>> ask;

    /**
     * @param typeName name of the entity type: persistence ids are {@code typeName|id}
     * @param parallelism entities asked at the same time
     * @param ask asks one entity by its id; empty when it is not there after all
     */
    public EntityDirectory(
            ActorSystem<?> system,
            Supplier<CompletionStage<List<String>>> persistenceIds,
            String typeName,
            int parallelism,
            Function<String, CompletionStage<Optional<V>>> ask) {
        this.system = system;
        this.persistenceIds = persistenceIds;
        this.prefix = typeName + "|";
        this.parallelism = parallelism;
        this.ask = ask;
    }

    /** Every entity, sorted by id; fails when one does not answer. */
    public CompletionStage<List<V>> list() {
        return persistenceIds.get().thenCompose(all -> {
            List<String> ids = all.stream()
                    .filter(id -> id.startsWith(prefix))
                    .map(id -> id.substring(prefix.length()))
                    .sorted()
                    .toList();
            return Source.from(ids)
                    .mapAsync(parallelism, ask::apply)
                    .runWith(Sink.seq(), system)
                    .thenApply(found -> found.stream().flatMap(Optional::stream).toList());
        });
    }
}
