package io.godwit.agent;

import io.godwit.proto.ownership.Handoff;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.proto.ownership.OwnershipReply;
import io.godwit.proto.ownership.OwnershipView;
import java.util.Optional;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** The ledger of one VM, without persistence: what the coordinator's Ownership entity accepts, and nothing else. */
final class OneVmLedger {
    private OwnershipView view;

    private OneVmLedger(OwnershipView view) {
        this.view = view;
    }

    static Behavior<OwnershipCommand> create(String vm, String owner) {
        return Behaviors.setup(_ -> {
            OneVmLedger ledger =
                    new OneVmLedger(new OwnershipView(vm, Optional.of(owner), 1, Optional.empty(), Optional.empty()));
            return Behaviors.receiveMessage(command -> {
                command.replyTo().tell(ledger.answer(command));
                return Behaviors.same();
            });
        });
    }

    private OwnershipReply answer(OwnershipCommand command) {
        return switch (command) {
            case OwnershipCommand.QueryOwnership _ -> new OwnershipReply.OwnershipAccepted(view);
            case OwnershipCommand.BeginHandoff c -> {
                if (view.epoch() != c.epoch()
                        || !view.grants(c.from())
                        || view.handoff().isPresent()) {
                    yield refused("no handoff from " + c.from() + " under epoch " + c.epoch());
                }
                yield accept(view.host(), view.epoch(), Optional.of(new Handoff(c.migration(), c.from(), c.to(), 0)));
            }
            case OwnershipCommand.CommitHandoff c -> settle(c.migration(), c.epoch(), true);
            case OwnershipCommand.AbortHandoff c -> settle(c.migration(), c.epoch(), false);
            case OwnershipCommand.ClaimOwnership _,
                    OwnershipCommand.ReleaseOwnership _,
                    OwnershipCommand.FenceOwnership _,
                    OwnershipCommand.RestartOwnership _ -> refused("not in this test");
        };
    }

    private OwnershipReply settle(String migration, long epoch, boolean commit) {
        Optional<Handoff> open = view.handoff().filter(h -> h.migration().equals(migration) && view.epoch() == epoch);
        return open.isEmpty()
                ? refused("no open handoff of " + migration + " under epoch " + epoch)
                : accept(Optional.of(commit ? open.get().to() : open.get().from()), view.epoch() + 1, Optional.empty());
    }

    private OwnershipReply accept(Optional<String> host, long epoch, Optional<Handoff> handoff) {
        Optional<String> settled = handoff.isEmpty() ? view.handoff().map(Handoff::migration) : view.lastSettled();
        view = new OwnershipView(view.vm(), host, epoch, handoff, settled);
        return new OwnershipReply.OwnershipAccepted(view);
    }

    private OwnershipReply refused(String reason) {
        return new OwnershipReply.OwnershipRefused(reason, view);
    }
}
