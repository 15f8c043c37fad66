package io.godwit.migration;

import io.godwit.device.Device;
import io.godwit.device.DeviceHook;
import io.godwit.device.DeviceState;
import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** A device with pre-copy that answers every hook as a test says; what it gives out is made up. */
final class ScriptedDevice {
    /** Initial data still to be given out. */
    final AtomicLong initialBytes = new AtomicLong();
    /** The rest of what it has for pre-copy; never less, however much is given out. */
    final AtomicLong precopyBytes = new AtomicLong();
    /** Whether it gives out what it has when it is asked to. */
    volatile boolean gives = true;

    private final String name;
    private final Executor dataPlane;
    private volatile DeviceState state = DeviceState.RUNNING;
    private boolean initialEndSent;

    ScriptedDevice(String name, Executor dataPlane) {
        this.name = name;
        this.dataPlane = dataPlane;
    }

    DeviceState state() {
        return state;
    }

    Behavior<Device.Command> actor() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case Device.SaveSetup(var replyTo) -> stand(DeviceState.PRE_COPY, replyTo);
                case Device.SaveLivePending(var replyTo) ->
                    replyTo.tell(new Device.Pending(
                            name,
                            initialBytes.get(),
                            initialBytes.get() + precopyBytes.get(),
                            initialBytes.get() + precopyBytes.get()));
                case Device.SaveLiveIterate(var sink, var _, var replyTo) ->
                    dataPlane.execute(() -> iterate(sink, replyTo));
                case Device.SaveLiveCompletePrecopy(var sink, var replyTo) ->
                    dataPlane.execute(() -> complete(sink, replyTo));
                case Device.VmStateChanged(var to, var prepare, var replyTo) ->
                    stand(
                            prepare ? state : to == RunState.RUNNING ? DeviceState.RUNNING : DeviceState.STOP_COPY,
                            replyTo);
                case Device.Cleanup(var replyTo) -> stand(DeviceState.STOP, replyTo);
                case Device.MigrationStatusChanged(var _, var replyTo) -> stand(DeviceState.RUNNING, replyTo);
                case Device.Describe(var replyTo) ->
                    replyTo.tell(new Device.Described(name, "gpu/1", state, false, List.of()));
                default -> throw new IllegalStateException("a save path has no use for " + command);
            }
            return Behaviors.same();
        });
    }

    private void stand(DeviceState next, ActorRef<Device.Reply> replyTo) {
        state = next;
        replyTo.tell(new Device.Done(name, next));
    }

    private void iterate(DeviceSink sink, ActorRef<Device.Reply> replyTo) {
        try {
            long sent = 0;
            if (gives) {
                List<Long> parts = new ArrayList<>(List.of(initialBytes.getAndSet(0), precopyBytes.get()));
                for (long bytes : parts) {
                    if (bytes > 0) {
                        sink.chunk(name, DeviceChunkKind.PRECOPY, ByteBuffer.allocate((int) bytes));
                        sent += bytes;
                    }
                    if (!initialEndSent) {
                        initialEndSent = true;
                        sink.chunk(name, DeviceChunkKind.INITIAL_END, ByteBuffer.allocate(0));
                    }
                }
            }
            replyTo.tell(new Device.Iterated(name, sent));
        } catch (IOException e) {
            replyTo.tell(new Device.Failed(name, DeviceHook.SAVE_LIVE_ITERATE, String.valueOf(e.getMessage()), state));
        }
    }

    private void complete(DeviceSink sink, ActorRef<Device.Reply> replyTo) {
        try {
            sink.chunk(name, DeviceChunkKind.END, ByteBuffer.allocate(0));
            replyTo.tell(new Device.Saved(name, 0, 0));
        } catch (IOException e) {
            replyTo.tell(new Device.Failed(
                    name, DeviceHook.SAVE_LIVE_COMPLETE_PRECOPY, String.valueOf(e.getMessage()), state));
        }
    }
}
