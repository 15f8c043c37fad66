package io.godwit.device;

import io.godwit.proto.migration.MigrationStatus;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.AskPattern;

/** One device moved from one machine to another by all its hooks; whatever stalls on the way is given no time. */
final class Move implements AutoCloseable {
    private record Chunk(DeviceChunkKind kind, ByteBuffer bytes) {}

    /** A hook did not come off. */
    static final class Ended extends Exception {
        private static final long serialVersionUID = 1L;

        Ended(String side, String what) {
            super(side + ": " + what);
        }
    }

    final Machine from;
    final Machine to;
    final ActorRef<Device.Command> source;
    final ActorRef<Device.Command> target;
    private final ActorTestKit kit;
    private final ManualTime time;
    private final List<Chunk> sent = new ArrayList<>();
    private final DeviceSink sink = (device, kind, data) -> {
        ByteBuffer bytes = ByteBuffer.allocate(data.remaining());
        sent.add(new Chunk(kind, bytes.put(data).flip()));
    };

    Move(ActorTestKit kit, ManualTime time, DeviceSpec spec, Executor dataPlane) throws DeviceException {
        this.kit = kit;
        this.time = time;
        this.from = new Machine(spec);
        this.to = new Machine(spec);
        this.source = kit.spawn(Device.create(spec.name(), from.device, dataPlane));
        this.target = kit.spawn(Device.create(spec.name(), to.device, dataPlane));
    }

    Device.Reply ask(ActorRef<Device.Command> device, Function<ActorRef<Device.Reply>, Device.Command> command) {
        CompletableFuture<Device.Reply> reply = AskPattern.<Device.Command, Device.Reply>ask(
                        device, command::apply, Duration.ofDays(1), kit.system().scheduler())
                .toCompletableFuture();
        while (true) {
            try {
                return reply.get(5, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                if (from.faults.stalled() + to.faults.stalled() > 0) {
                    time.timePasses(Duration.ofSeconds(16));
                }
            } catch (InterruptedException | ExecutionException e) {
                throw new AssertionError(e);
            }
        }
    }

    private <T extends Device.Reply> T must(
            Class<T> kind, ActorRef<Device.Command> device, Function<ActorRef<Device.Reply>, Device.Command> command)
            throws Ended {
        Device.Reply reply = ask(device, command);
        String side = device.equals(source) ? "source" : "target";
        return switch (reply) {
            case Device.Failed failed -> throw new Ended(side, DeviceRound.describe(failed));
            case Device.Rejected rejected -> throw new Ended(side, DeviceRound.describe(rejected));
            case Device.Done _,
                    Device.Pending _,
                    Device.Iterated _,
                    Device.Saved _,
                    Device.Loaded _,
                    Device.DigestTaken _,
                    Device.Described _ -> kind.cast(reply);
        };
    }

    private void vm(ActorRef<Device.Command> device, RunState state) throws Ended {
        must(Device.Done.class, device, replyTo -> new Device.VmStateChanged(state, true, replyTo));
        must(Device.Done.class, device, replyTo -> new Device.VmStateChanged(state, false, replyTo));
    }

    void boot() throws Ended {
        vm(source, RunState.RUNNING);
    }

    /** From a running source to a running target. */
    void migrate() throws Ended {
        must(Device.Done.class, target, Device.LoadSetup::new);
        must(Device.Done.class, source, Device.SaveSetup::new);
        for (int i = 0; i < 3; i++) {
            must(Device.Pending.class, source, Device.SaveLivePending::new);
            must(Device.Iterated.class, source, replyTo -> new Device.SaveLiveIterate(sink, 1 << 20, replyTo));
            from.ticker.pass(20);
        }
        vm(source, RunState.FINISH_MIGRATE);
        must(Device.Pending.class, source, Device.SaveLivePending::new);
        Device.Saved saved =
                must(Device.Saved.class, source, replyTo -> new Device.SaveLiveCompletePrecopy(sink, replyTo));
        for (Chunk chunk : sent) {
            must(Device.Loaded.class, target, replyTo -> new Device.LoadState(chunk.kind(), chunk.bytes(), replyTo));
        }
        Device.DigestTaken taken = must(Device.DigestTaken.class, target, Device.LoadCleanup::new);
        if (taken.digest() != saved.digest()) {
            throw new Ended("both", "the digests differ");
        }
        must(Device.Done.class, source, Device.Cleanup::new);
        vm(target, RunState.RUNNING);
    }

    /** The migration has failed: the source is to run again. */
    void rollBack() throws Ended {
        must(Device.Done.class, source, replyTo -> new Device.MigrationStatusChanged(MigrationStatus.FAILED, replyTo));
        vm(source, RunState.RUNNING);
    }

    @Override
    public void close() {
        kit.stop(source);
        kit.stop(target);
        from.close();
        to.close();
    }
}
