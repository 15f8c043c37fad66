package io.godwit.proto.cluster;

import io.godwit.proto.Names;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.pekko.actor.Address;
import org.apache.pekko.cluster.ClusterEvent.CurrentClusterState;
import org.apache.pekko.cluster.Member;
import org.apache.pekko.cluster.MemberStatus;

/**
 * Whether enough coordinators see each other to decide anything. Counted are coordinators only, and against the number that
 * the operator has named: two groups that cannot see each other never both have a majority of that.
 */
public final class Quorum {
    private Quorum() {}

    /** How many coordinators have to be in sight of each other, of {@code named} that there should be. */
    public static int of(int named) {
        return Math.max(1, named) / 2 + 1;
    }

    /**
     * Whether {@code state}, as one node sees it, shows a majority.
     *
     * @param named how many coordinators there should be; more that are members count, too
     */
    public static boolean present(CurrentClusterState state, int named) {
        Set<Address> unreachable = new HashSet<>();
        state.getUnreachable().forEach(member -> unreachable.add(member.address()));
        long all = StreamSupport.stream(state.getMembers().spliterator(), false)
                .filter(Quorum::votes)
                .count();
        long seen = StreamSupport.stream(state.getMembers().spliterator(), false)
                .filter(Quorum::votes)
                .filter(member -> !unreachable.contains(member.address()))
                .count();
        return seen >= of((int) Math.max(named, all));
    }

    private static boolean votes(Member member) {
        return member.hasRole(Names.COORDINATOR_ROLE)
                && !member.status().equals(MemberStatus.down())
                && !member.status().equals(MemberStatus.exiting())
                && !member.status().equals(MemberStatus.removed());
    }
}
