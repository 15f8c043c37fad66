package io.godwit.ownership;

import static org.assertj.core.api.Assertions.assertThat;

import io.godwit.ownership.OwnershipEvent.LedgerAborted;
import io.godwit.ownership.OwnershipEvent.LedgerClaimed;
import io.godwit.ownership.OwnershipEvent.LedgerCommitted;
import io.godwit.ownership.OwnershipEvent.LedgerFenced;
import io.godwit.ownership.OwnershipEvent.LedgerHandoffBegun;
import io.godwit.ownership.OwnershipEvent.LedgerReleased;
import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipCommand.AbortHandoff;
import io.godwit.proto.ownership.OwnershipCommand.BeginHandoff;
import io.godwit.proto.ownership.OwnershipCommand.ClaimOwnership;
import io.godwit.proto.ownership.OwnershipCommand.CommitHandoff;
import io.godwit.proto.ownership.OwnershipCommand.FenceOwnership;
import io.godwit.proto.ownership.OwnershipCommand.QueryOwnership;
import io.godwit.proto.ownership.OwnershipCommand.ReleaseOwnership;
import io.godwit.proto.ownership.OwnershipCommand.RestartOwnership;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipReply.OwnershipAccepted;
import io.godwit.proto.ownership.OwnershipReply.OwnershipRefused;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.typed.ActorRef;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class OwnershipRulesTest {
    private static ActorTestKit kit;
    private static ActorRef<OwnershipReply> nobody;

    @BeforeAll
    static void start() {
        kit = ActorTestKit.create();
        nobody = kit.<OwnershipReply>createTestProbe().getRef();
    }

    @AfterAll
    static void stop() {
        kit.shutdownTestKit();
    }

    private static final OwnershipState FREE = OwnershipState.empty("vm-1");
    private static final OwnershipState HELD = FREE.apply(new LedgerClaimed("host-1", 1));
    private static final OwnershipState OPEN =
            HELD.apply(new LedgerHandoffBegun(new Handoff("m-1", "host-1", "host-2", 1000)));
    private static final OwnershipState COMMITTED = OPEN.apply(new LedgerCommitted("m-1", "host-2", 2));
    private static final OwnershipState ABORTED = OPEN.apply(new LedgerAborted("m-1", 2, "why"));
    private static final OwnershipState RELEASED = HELD.apply(new LedgerReleased("host-1", 1));

    private static final OwnershipState WAITING = HELD.apply(new LedgerFenced("host-1", 1, "off"));

    private static FenceOwnership fence(String host, long epoch) {
        return new FenceOwnership("vm-1", host, epoch, "off", nobody);
    }

    private static RestartOwnership restart(String host, long epoch) {
        return new RestartOwnership("vm-1", host, epoch, nobody);
    }

    private static BeginHandoff begin(String migration, String from, long epoch) {
        return new BeginHandoff("vm-1", migration, from, "host-2", epoch, 1000, nobody);
    }

    private static CommitHandoff commit(String migration, long epoch) {
        return new CommitHandoff("vm-1", migration, epoch, nobody);
    }

    private static AbortHandoff abort(String migration, long epoch) {
        return new AbortHandoff("vm-1", migration, epoch, "why", nobody);
    }

    private static ClaimOwnership claim(String host) {
        return new ClaimOwnership("vm-1", host, nobody);
    }

    private static ReleaseOwnership release(String host, long epoch) {
        return new ReleaseOwnership("vm-1", host, epoch, nobody);
    }

    private static void accepts(OwnershipState state, OwnershipCommand command, OwnershipEvent event) {
        var decision = OwnershipRules.decide(state, command);
        assertThat(decision.event()).contains(event);
        assertThat(decision.reply(state.apply(event))).isInstanceOf(OwnershipAccepted.class);
    }

    private static void acceptsAgain(OwnershipState state, OwnershipCommand command) {
        var decision = OwnershipRules.decide(state, command);
        assertThat(decision.event()).isEmpty();
        assertThat(decision.reply(state)).isEqualTo(new OwnershipAccepted(state.view()));
    }

    private static void refuses(OwnershipState state, OwnershipCommand command, String reason) {
        var decision = OwnershipRules.decide(state, command);
        assertThat(decision.event()).isEmpty();
        assertThat(decision.reply(state)).isInstanceOfSatisfying(OwnershipRefused.class, refused -> {
            assertThat(refused.reason()).contains(reason);
            assertThat(refused.view()).isEqualTo(state.view());
        });
    }

    @Test
    void claimsAFreeVmOnceAndForOneHost() {
        accepts(FREE, claim("host-1"), new LedgerClaimed("host-1", 1));
        acceptsAgain(HELD, claim("host-1"));
        refuses(HELD, claim("host-2"), "belongs to host 'host-1'");
        refuses(OPEN, claim("host-1"), "is being handed off");
        acceptsAgain(COMMITTED, claim("host-2"));
        refuses(COMMITTED, claim("host-1"), "belongs to host 'host-2'");
        acceptsAgain(ABORTED, claim("host-1"));
        accepts(RELEASED, claim("host-3"), new LedgerClaimed("host-3", 2));
    }

    @Test
    void beginsAHandoffOnlyForTheOwnerInTheCurrentEpoch() {
        accepts(HELD, begin("m-1", "host-1", 1), new LedgerHandoffBegun(new Handoff("m-1", "host-1", "host-2", 1000)));
        acceptsAgain(OPEN, begin("m-1", "host-1", 1));
        refuses(OPEN, begin("m-1", "host-1", 2), "which is 1");
        refuses(OPEN, begin("m-2", "host-1", 1), "by migration m-1");
        refuses(HELD, begin("m-1", "host-3", 1), "not to 'host-3'");
        refuses(HELD, begin("m-1", "host-1", 2), "epoch 2 is not the current one");
        refuses(FREE, begin("m-1", "host-1", 0), "nobody owns");
        refuses(RELEASED, begin("m-1", "host-1", 1), "nobody owns");
        refuses(COMMITTED, begin("m-1", "host-1", 1), "settled already");
        refuses(ABORTED, begin("m-1", "host-1", 2), "settled already");
        refuses(
                COMMITTED,
                new BeginHandoff("vm-1", "m-2", "host-2", "host-2", 2, 1000, nobody),
                "a handoff needs two hosts");
        refuses(HELD, new BeginHandoff("vm-1", "m-1", "host-1", "host-2", 1, 0, nobody), "above 0 ms");
    }

    @Test
    void commitAndAbortExcludeEachOtherForEver() {
        accepts(OPEN, commit("m-1", 1), new LedgerCommitted("m-1", "host-2", 2));
        accepts(OPEN, abort("m-1", 1), new LedgerAborted("m-1", 2, "why"));
        acceptsAgain(COMMITTED, commit("m-1", 1));
        refuses(COMMITTED, abort("m-1", 1), "was committed");
        acceptsAgain(ABORTED, abort("m-1", 1));
        refuses(ABORTED, commit("m-1", 1), "was aborted");
        refuses(OPEN, commit("m-1", 7), "which is 1");
        refuses(OPEN, abort("m-1", 7), "which is 1");
        refuses(OPEN, commit("m-2", 1), "by migration m-1");
        refuses(OPEN, abort("m-2", 1), "by migration m-1");
        refuses(HELD, commit("m-1", 1), "no open handoff");
        refuses(FREE, commit("m-1", 0), "no open handoff");
        refuses(FREE, abort("m-1", 0), "nobody owns");
        refuses(RELEASED, commit("m-1", 1), "no open handoff");
        refuses(RELEASED, abort("m-1", 1), "nobody owns");
    }

    @Test
    void anAbortBeforeTheBeginMakesTheLateBeginStale() {
        accepts(HELD, abort("m-1", 1), new LedgerAborted("m-1", 2, "why"));
        refuses(HELD.apply(new LedgerAborted("m-1", 2, "why")), begin("m-1", "host-1", 1), "settled already");
        OwnershipState later = HELD.apply(new LedgerAborted("m-1", 2, "why")).apply(new LedgerAborted("m-2", 3, "why"));
        refuses(later, begin("m-1", "host-1", 1), "epoch 1 is not the current one");
    }

    @Test
    void releasesOnlyForTheOwnerInTheCurrentEpoch() {
        accepts(HELD, release("host-1", 1), new LedgerReleased("host-1", 1));
        acceptsAgain(RELEASED, release("host-1", 1));
        refuses(RELEASED, release("host-1", 2), "epoch 2 is not the current one");
        refuses(HELD, release("host-2", 1), "not to 'host-2'");
        refuses(HELD, release("host-1", 2), "epoch 2 is not the current one");
        refuses(OPEN, release("host-1", 1), "is being handed off");
        refuses(FREE, release("host-1", 0), "never claimed");
        accepts(COMMITTED, release("host-2", 2), new LedgerReleased("host-2", 2));
        refuses(COMMITTED, release("host-1", 1), "not to 'host-1'");
        refuses(ABORTED, release("host-1", 1), "epoch 1 is not the current one");
    }

    @Test
    void fencesOffTheOwnerInTheCurrentEpochOnlyAndNeverDuringAHandoff() {
        accepts(HELD, fence("host-1", 1), new LedgerFenced("host-1", 1, "off"));
        acceptsAgain(WAITING, fence("host-1", 1));
        refuses(HELD, fence("host-2", 1), "not to 'host-2'");
        refuses(COMMITTED, fence("host-2", 1), "epoch 1 is not the current one");
        refuses(OPEN, fence("host-1", 1), "is being handed off");
        refuses(RELEASED, fence("host-1", 1), "nobody owns");
        assertThat(WAITING.view().host()).isEmpty();
        assertThat(WAITING.view().waiting()).contains("off");
        refuses(WAITING, begin("m-1", "host-1", 1), "nobody owns");
        refuses(WAITING, commit("m-1", 1), "no open handoff");
    }

    @Test
    void startsAnewWhatWaitsForItAndNothingElse() {
        accepts(WAITING, restart("host-3", 1), new LedgerClaimed("host-3", 2));
        OwnershipState anew = WAITING.apply(new LedgerClaimed("host-3", 2));
        acceptsAgain(anew, restart("host-3", 1));
        refuses(anew, restart("host-2", 1), "does not wait");
        refuses(WAITING, restart("host-3", 2), "does not wait");
        refuses(HELD, restart("host-3", 1), "does not wait");
        refuses(OPEN, restart("host-3", 1), "does not wait");
        // destroyed while it waited
        accepts(WAITING, release("", 1), new LedgerReleased("", 1));
        refuses(WAITING.apply(new LedgerReleased("", 1)), restart("host-3", 1), "does not wait");
        refuses(anew, fence("host-1", 1), "not to 'host-1'");
    }

    @Test
    void answersAQueryInEveryStateAndRefusesAForeignVmInEvery() {
        for (OwnershipState state : List.of(FREE, HELD, OPEN, COMMITTED, ABORTED, RELEASED, WAITING)) {
            acceptsAgain(state, new QueryOwnership("vm-1", nobody));
            refuses(state, new QueryOwnership("vm-2", nobody), "this is the ledger of vm 'vm-1'");
            refuses(state, new ClaimOwnership("vm-2", "host-1", nobody), "for vm 'vm-2'");
        }
    }

    @Test
    void theDeadlineAbortsOnlyTheOpenHandoffItBelongsTo() {
        assertThat(OwnershipRules.expire(OPEN, "m-1"))
                .contains(new LedgerAborted("m-1", 2, "no commit within the handoff's deadline of 1000 ms"));
        assertThat(OwnershipRules.expire(OPEN, "m-2")).isEmpty();
        for (OwnershipState state : List.of(FREE, HELD, COMMITTED, ABORTED, RELEASED)) {
            assertThat(OwnershipRules.expire(state, "m-1")).isEmpty();
        }
    }

    /** I3, and the exclusion of commit and abort, under any order of any commands; the seed makes a failure repeatable. */
    @Test
    void keepsItsInvariantsUnderAnySequenceOfCommands() {
        for (long seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            OwnershipState state = FREE;
            Map<String, Boolean> settled = new HashMap<>();
            for (int step = 0; step < 60; step++) {
                String host = "host-" + (1 + random.nextInt(3));
                String migration = "m-" + random.nextInt(4);
                long epoch = Math.max(0, state.epoch() - random.nextInt(2));
                Optional<OwnershipEvent> event = switch (random.nextInt(8)) {
                    case 0 -> OwnershipRules.decide(state, claim(host)).event();
                    case 1 ->
                        OwnershipRules.decide(state, begin(migration, host, epoch))
                                .event();
                    case 2 ->
                        OwnershipRules.decide(state, commit(migration, epoch)).event();
                    case 3 ->
                        OwnershipRules.decide(state, abort(migration, epoch)).event();
                    case 4 -> OwnershipRules.expire(state, migration);
                    case 5 -> OwnershipRules.decide(state, fence(host, epoch)).event();
                    case 6 -> OwnershipRules.decide(state, restart(host, epoch)).event();
                    default ->
                        OwnershipRules.decide(state, release(host, epoch)).event();
                };
                if (event.isEmpty()) {
                    continue;
                }
                OwnershipState next = state.apply(event.get());
                String at = "seed " + seed + " step " + step + ": " + event.get();
                assertThat(next.epoch()).as(at).isGreaterThanOrEqualTo(state.epoch());
                if (!next.owner().equals(state.owner()) && next.owner().isPresent()) {
                    assertThat(next.epoch()).as(at).isGreaterThan(state.epoch());
                }
                if (event.get() instanceof LedgerCommitted) {
                    assertThat(next.owner())
                            .as(at)
                            .contains(state.openHandoff().orElseThrow().to());
                }
                settled.put(next.settled().map(s -> s.migration()).orElse(""), true);
                state = next;
            }
            assertThat(settled).as("seed " + seed + " did nothing").isNotEmpty();
        }
    }
}
