package io.godwit.agent.qemu;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * The migration capabilities and parameters that a QEMU has. They stay as they were told last, so what it has already is not told
 * again: while a migration begins, and while a VM stands still, each word to a QEMU takes milliseconds on a busy host. A
 * word that was not answered may have been taken in or not, and is told again. Somebody else's QEMU may hear other words than
 * ours, and is told each time. Safe for any thread.
 */
final class QemuTold {
    private final boolean others;
    private final Set<String> capabilities = new HashSet<>();
    private final Map<String, JsonNode> parameters = new HashMap<>();
    private long words;

    /** {@code others}: whether others tell it something, too. */
    QemuTold(boolean others) {
        this.others = others;
    }

    /** The stage completes when it has these capabilities. */
    synchronized CompletionStage<?> capabilities(QmpSession session, Collection<String> wanted) {
        if (!others && capabilities.containsAll(wanted)) {
            return CompletableFuture.completedFuture(null);
        }
        ObjectNode arguments = QmpSession.arguments();
        ArrayNode list = arguments.putArray("capabilities");
        Set<String> all = Set.copyOf(wanted);
        all.stream()
                .sorted()
                .forEach(name -> list.addObject().put("capability", name).put("state", true));
        return session.call("migrate-set-capabilities", arguments).thenAccept(_ -> took(all));
    }

    private synchronized void took(Set<String> all) {
        capabilities.addAll(all);
    }

    /** The stage completes when it has these parameters. */
    synchronized CompletionStage<?> parameters(QmpSession session, ObjectNode wanted) {
        Map<String, JsonNode> all = new HashMap<>();
        wanted.properties().forEach(entry -> all.put(entry.getKey(), entry.getValue()));
        if (!others && parameters.entrySet().containsAll(all.entrySet())) {
            return CompletableFuture.completedFuture(null);
        }
        parameters.keySet().removeAll(all.keySet());
        long word = ++words;
        return session.call("migrate-set-parameters", wanted).thenAccept(_ -> took(all, word));
    }

    /** Unless it has been told something else meanwhile. */
    private synchronized void took(Map<String, JsonNode> all, long word) {
        if (word == words) {
            parameters.putAll(all);
        }
    }
}
