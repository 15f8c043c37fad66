package io.godwit.agent.lease;

import io.godwit.proto.lease.LeaseCommand;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What an agent needs to keep leases.
 *
 * @param keeper what the guest drivers ask
 * @param lender takes what goes to the lender of leases, wherever that is
 */
public record Leasing(LeaseKeeper keeper, ActorRef<LeaseCommand> lender) {}
