package io.godwit.plan.model;

import java.util.Set;

/**
 * Room that migrations must leave unused. It is counted in sum over the hosts of a failure domain that are not drained: what their VMs
 * take, copies on their way in included, stays within a limit. Where more is taken from the start, nothing may be added.
 */
public sealed interface Reserve {
    /** The failure domain; empty for the whole fleet. */
    String domain();

    /** Resources that it is about. */
    Set<String> resources();

    /** Of what the hosts of the domain have ({@code sum} in all, {@code largest} the most of one), how much may be given out. */
    long limit(long sum, long largest);

    /**
     * What the largest hosts have is kept free on all together, so that as many may be lost (N+1 with one host).
     *
     * @param hosts how many hosts may be lost, 1 or more
     */
    record HostLoss(String domain, Set<String> resources, int hosts) implements Reserve {
        /** Copies the set. */
        public HostLoss {
            resources = Set.copyOf(resources);
            if (hosts < 1) {
                throw new IllegalArgumentException(hosts + " hosts may be lost; expected 1 or more");
            }
        }

        @Override
        public long limit(long sum, long largest) {
            return Math.max(0, sum - hosts * largest);
        }
    }

    /**
     * A share is kept free.
     *
     * @param percent 0 to 100
     */
    record Share(String domain, Set<String> resources, int percent) implements Reserve {
        /** Copies the set. */
        public Share {
            resources = Set.copyOf(resources);
            if (percent < 0 || percent > 100) {
                throw new IllegalArgumentException("a reserve of " + percent + " %; expected 0 to 100");
            }
        }

        @Override
        public long limit(long sum, long largest) {
            return sum - Math.ceilDiv(sum * percent, 100L);
        }
    }
}
