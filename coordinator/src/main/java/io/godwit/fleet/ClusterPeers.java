package io.godwit.fleet;

import io.godwit.proto.Names;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.apache.pekko.actor.Address;
import org.apache.pekko.actor.AddressFromURIString;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.cluster.ClusterEvent;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;
import org.apache.pekko.cluster.typed.Cluster;
import org.apache.pekko.cluster.typed.Subscribe;

/**
 * Keeps the addresses of the hosts in the cluster in a file of the data folder. A coordinator that founded the cluster
 * and was killed comes back to the hosts that are still there by these addresses; without them it would found a second
 * cluster, and none of its hosts would find it.
 */
final class ClusterPeers {
    private static final String FILE = "cluster-peers";

    private ClusterPeers() {}

    /** What the file holds; empty when there is none. */
    static List<Address> read(Path dataDir) throws IOException {
        Path file = dataDir.resolve(FILE);
        return Files.exists(file)
                ? Files.readAllLines(file).stream()
                        .filter(line -> !line.isBlank())
                        .map(AddressFromURIString::parse)
                        .toList()
                : List.of();
    }

    /** Writes the file whenever a host comes or goes; blocks for each write, so give it a dispatcher for that. */
    static Behavior<ClusterEvent.MemberEvent> keeper(Path dataDir) {
        return Behaviors.setup(context -> {
            Cluster cluster = Cluster.get(context.getSystem());
            cluster.subscriptions().tell(Subscribe.create(context.getSelf(), ClusterEvent.MemberEvent.class));
            Set<String> hosts = new TreeSet<>();
            return Behaviors.receiveMessage(event -> {
                Member member = event.member();
                if (!member.hasRole(Names.HOST_ROLE)) {
                    return Behaviors.same();
                }
                String address = member.address().toString();
                boolean changed = member.status().equals(MemberStatus.removed())
                        ? hosts.remove(address)
                        : member.status().equals(MemberStatus.up()) && hosts.add(address);
                if (changed) {
                    try {
                        write(dataDir, hosts);
                    } catch (IOException e) {
                        context.getLog().error("cannot write {}: {}", dataDir.resolve(FILE), e.toString());
                    }
                }
                return Behaviors.same();
            });
        });
    }

    /** Whole or not at all: a half-written list would lose hosts. */
    private static void write(Path dataDir, Set<String> hosts) throws IOException {
        Path next = dataDir.resolve(FILE + ".new");
        Files.write(next, hosts);
        Files.move(next, dataDir.resolve(FILE), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
