package io.godwit.device;

import io.godwit.proto.vm.RunState;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceSink;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What each hook does to the device. May block; called from data-plane threads, one call at a time, by the {@link Device}
 * actor, which decides beforehand whether the device's state accepts the hook.
 */
final class DeviceHooks {
    private final String name;
    private final VfioDevice device;
    private final int chunkBytes;
    private @Nullable ByteBuffer buffer;
    private boolean initialEndSent;
    private boolean initialEndTaken;
    private boolean endTaken;
    private boolean vmRuns;

    /** What came of a hook: the answer, and where the device stood before and after each step it made. */
    record Outcome(Device.Reply reply, List<DeviceState> states, Optional<String> failure) {
        DeviceState state() {
            return states.getLast();
        }
    }

    /** A hook's work. */
    interface Work {
        Device.Reply run(Walk walk) throws DeviceException, IOException;
    }

    /** The steps of one hook. */
    final class Walk {
        private final List<DeviceState> states = new ArrayList<>();

        DeviceState state() {
            return states.getLast();
        }

        /** Walks to {@code target}, one step at a time. */
        void to(DeviceState target) throws DeviceException {
            while (true) {
                MigTransitions.Hop hop =
                        MigTransitions.nextHop(state(), target, device.supportsPreCopy(), device.supportsP2p());
                switch (hop) {
                    case MigTransitions.Hop.There() -> {
                        return;
                    }
                    case MigTransitions.Hop.Refused(var reason) ->
                        throw new DeviceException("device " + name + ": " + reason);
                    case MigTransitions.Hop.Step(var next) -> {
                        device.step(next);
                        arrived(next, "its step");
                    }
                }
            }
        }

        void reset() throws DeviceException {
            device.reset();
            arrived(DeviceState.RUNNING, "its reset");
        }

        /** A device that says it has moved is not believed: what follows would be done to another state. */
        private void arrived(DeviceState expected, String after) throws DeviceException {
            DeviceState now = device.state();
            if (states.isEmpty() || now != state()) {
                states.add(now);
            }
            if (now != expected) {
                throw new DeviceException(
                        "device " + name + " stands in " + now + " after " + after + "; expected " + expected);
            }
        }

        private void readBack() {
            DeviceState now = device.state();
            if (states.isEmpty() || now != state()) {
                states.add(now);
            }
        }
    }

    DeviceHooks(String name, VfioDevice device, int chunkBytes) {
        this.name = name;
        this.device = device;
        this.chunkBytes = chunkBytes;
    }

    /** Runs a hook; whatever goes wrong in the device becomes an answer, with the state read back. */
    Outcome run(DeviceHook hook, Work work) {
        Walk walk = new Walk();
        walk.readBack();
        try {
            if (walk.state() == DeviceState.ERROR && !helpsInError(hook)) {
                // it broke by itself since it was last seen: better told now than once the VM has been stopped
                throw new DeviceException("device " + name + " has broken: it stands in ERROR");
            }
            Device.Reply reply = work.run(walk);
            walk.readBack();
            return new Outcome(reply, walk.states, Optional.empty());
        } catch (DeviceException | IOException | RuntimeException e) {
            walk.readBack();
            String reason = e.getMessage() == null ? e.getClass().getName() : e.getMessage();
            return new Outcome(new Device.Failed(name, hook, reason, walk.state()), walk.states, Optional.of(reason));
        }
    }

    private static boolean helpsInError(DeviceHook hook) {
        return switch (hook) {
            case CLEANUP, MIGRATION_STATUS_CHANGED, DESCRIBE -> true;
            case SAVE_SETUP,
                    SAVE_LIVE_PENDING,
                    SAVE_LIVE_ITERATE,
                    SAVE_LIVE_COMPLETE_PRECOPY,
                    LOAD_SETUP,
                    LOAD_STATE,
                    LOAD_CLEANUP,
                    VM_STATE_CHANGED -> false;
        };
    }

    /** First of all: an actor made anew may find the device of a running VM. */
    Device.Reply begin(Walk walk) {
        vmRuns = walk.state().runs();
        return done(walk);
    }

    Device.Reply saveSetup(Walk walk) throws DeviceException {
        buffer();
        initialEndSent = false;
        if (walk.state() == DeviceState.PRE_COPY) {
            // what it gave out to another destination will not be given out again: it has to begin anew
            walk.to(DeviceState.RUNNING);
        }
        if (walk.state() == DeviceState.RUNNING && device.supportsPreCopy()) {
            walk.to(DeviceState.PRE_COPY);
        }
        return done(walk);
    }

    Device.Reply pending() throws DeviceException {
        PrecopyInfo precopy = device.precopyInfo();
        long stopCopy = device.stopCopyBytes();
        if (precopy.initialBytes() < 0 || precopy.dirtyBytes() < 0 || stopCopy < 0) {
            throw new DeviceException(
                    "device " + name + " says that " + precopy.initialBytes() + " initial, " + precopy.dirtyBytes()
                            + " dirty and " + stopCopy + " stop-copy bytes are pending; expected none below 0");
        }
        return new Device.Pending(name, precopy.initialBytes(), precopy.bytes(), stopCopy);
    }

    Device.Reply iterate(Walk walk, DeviceSink sink, long maxBytes) throws DeviceException, IOException {
        long sent = 0;
        // a device without pre-copy, or of a VM that stands still, has nothing to give out yet
        if (gives(walk.state())) {
            endInitial(sink);
            while (sent < maxBytes) {
                int read = chunk(sink, DeviceChunkKind.PRECOPY);
                if (read <= 0) {
                    break;
                }
                sent += read;
                endInitial(sink);
            }
        }
        return new Device.Iterated(name, sent);
    }

    /** Right behind the chunk that ends it, so that the destination hears of it as early as can be. */
    private void endInitial(DeviceSink sink) throws DeviceException, IOException {
        if (!initialEndSent && device.precopyInfo().initialBytes() == 0) {
            sink.chunk(name, DeviceChunkKind.INITIAL_END, buffer().flip());
            initialEndSent = true;
        }
    }

    private static boolean gives(DeviceState state) {
        return state == DeviceState.PRE_COPY || state == DeviceState.PRE_COPY_P2P;
    }

    Device.Reply complete(DeviceSink sink) throws DeviceException, IOException {
        byte[] config = device.saveConfig();
        long sent = config.length;
        ByteBuffer out = config.length <= chunkBytes ? buffer() : ByteBuffer.allocateDirect(config.length);
        sink.chunk(name, DeviceChunkKind.CONFIG, out.put(config).flip());
        int read = chunk(sink, DeviceChunkKind.STOPCOPY);
        while (read >= 0) {
            if (read == 0) {
                throw new DeviceException("device " + name + " gave out nothing, and not its end, in STOP_COPY");
            }
            sent += read;
            read = chunk(sink, DeviceChunkKind.STOPCOPY);
        }
        sink.chunk(name, DeviceChunkKind.END, buffer().flip());
        return new Device.Saved(name, sent, device.digest());
    }

    private int chunk(DeviceSink sink, DeviceChunkKind kind) throws DeviceException, IOException {
        ByteBuffer out = buffer();
        int read = device.read(out);
        if (read > 0) {
            sink.chunk(name, kind, out.flip());
        }
        return read;
    }

    Device.Reply cleanup(Walk walk) throws DeviceException {
        buffer = null;
        endTaken = false;
        switch (walk.state()) {
            case STOP_COPY -> walk.to(DeviceState.STOP);
            case RESUMING -> {
                // half a state cannot be left in any other way
                walk.reset();
                walk.to(DeviceState.STOP);
            }
            case ERROR, STOP, RUNNING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P -> {}
        }
        return done(walk);
    }

    Device.Reply loadSetup(Walk walk) throws DeviceException {
        endTaken = false;
        initialEndTaken = false;
        walk.to(DeviceState.RESUMING);
        return done(walk);
    }

    Device.Reply load(DeviceChunkKind kind, ByteBuffer chunk) throws DeviceException {
        long bytes = chunk.remaining();
        if (endTaken) {
            throw new DeviceException("device " + name + ": " + kind + " chunk after its END");
        }
        switch (kind) {
            case CONFIG -> {
                byte[] config = new byte[chunk.remaining()];
                chunk.get(config);
                device.loadConfig(config);
            }
            case PRECOPY, STOPCOPY -> {
                device.write(chunk);
                if (chunk.hasRemaining()) {
                    throw new DeviceException("device " + name + " took in " + (bytes - chunk.remaining()) + " of the "
                            + bytes + " bytes of a " + kind + " chunk; expected all");
                }
            }
            case INITIAL_END -> {
                if (initialEndTaken) {
                    throw new DeviceException("device " + name + ": a second INITIAL_END");
                }
                initialEndTaken = true;
            }
            case END -> endTaken = true;
        }
        return new Device.Loaded(name, bytes);
    }

    Device.Reply loadCleanup(Walk walk) throws DeviceException {
        if (!endTaken) {
            throw new DeviceException("device " + name + ": its END has not come");
        }
        walk.to(DeviceState.STOP);
        return new Device.DigestTaken(name, device.digest());
    }

    Device.Reply vmStateChanged(Walk walk, RunState to, boolean prepare) throws DeviceException {
        DeviceState now = walk.state();
        switch (to) {
            case RUNNING -> {
                // a device that runs already needs no barrier before it goes on
                if (!prepare) {
                    walk.to(DeviceState.RUNNING);
                    vmRuns = true;
                } else if (device.supportsP2p() && now != DeviceState.RUNNING && now != DeviceState.PRE_COPY) {
                    walk.to(DeviceState.RUNNING_P2P);
                }
            }
            case FINISH_MIGRATE -> stop(walk, prepare, DeviceState.STOP_COPY);
            case PAUSED, POSTMIGRATE, INTERNAL_ERROR -> stop(walk, prepare, DeviceState.STOP);
            case PRELAUNCH, RESTORE_VM -> {}
        }
        return done(walk);
    }

    private void stop(Walk walk, boolean prepare, DeviceState target) throws DeviceException {
        if (!prepare) {
            vmRuns = false;
            walk.to(target);
        } else if (device.supportsP2p() && walk.state() == DeviceState.RUNNING) {
            walk.to(DeviceState.RUNNING_P2P);
        } else if (device.supportsP2p() && walk.state() == DeviceState.PRE_COPY) {
            walk.to(DeviceState.PRE_COPY_P2P);
        }
    }

    /** Cancelled or failed: gives up giving out; a broken device is reset, and runs only if its VM does. */
    Device.Reply migrationEnded(Walk walk) throws DeviceException {
        switch (walk.state()) {
            case ERROR -> {
                walk.reset();
                if (!vmRuns) {
                    walk.to(DeviceState.STOP);
                }
            }
            case PRE_COPY -> walk.to(DeviceState.RUNNING);
            // between the barrier and the stop: the VM's run state brings it back from here
            case PRE_COPY_P2P -> walk.to(DeviceState.RUNNING_P2P);
            case STOP, RUNNING, STOP_COPY, RESUMING, RUNNING_P2P -> {}
        }
        return done(walk);
    }

    Device.Reply done(Walk walk) {
        return new Device.Done(name, walk.state());
    }

    private ByteBuffer buffer() {
        ByteBuffer kept = buffer;
        if (kept == null) {
            kept = ByteBuffer.allocateDirect(chunkBytes);
            buffer = kept;
        }
        return kept.clear();
    }
}
