package io.godwit.migration;

import static org.assertj.core.api.Assertions.assertThat;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import io.godwit.device.Device;
import io.godwit.memory.MemoryContainer;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationOptions;
import io.godwit.proto.migration.Progress;
import io.godwit.proto.migration.SaveLimits;
import io.godwit.proto.vm.VmSpec;
import io.godwit.proto.vm.WorkloadSpec;
import io.godwit.stream.Answer;
import io.godwit.stream.DeviceChunkKind;
import io.godwit.stream.DeviceIdentity;
import io.godwit.stream.Pacer;
import io.godwit.stream.Preamble;
import io.godwit.stream.StreamReader;
import io.godwit.stream.StreamSettings;
import io.godwit.stream.StreamSink;
import io.godwit.stream.StreamWriter;
import io.godwit.vm.GuestMemory;
import io.godwit.vm.RunLog;
import io.godwit.vm.VmParts;
import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import org.apache.pekko.actor.testkit.typed.javadsl.ActorTestKit;
import org.apache.pekko.actor.testkit.typed.javadsl.ManualTime;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * One save path of a VM, over a link in memory; the test owns the time and plays the destination. Without devices, unless
 * it is given some before it begins.
 */
final class SaveFixture implements AutoCloseable {
    static final long MIB = 1 << 20;
    static final Duration PATIENCE = Duration.ofSeconds(20);
    /** What the link takes, in bytes per second of the test's clock. */
    static final long RATE = 100 * MIB;

    private static final DataEndpoint TO = new DataEndpoint("host-b", 1);

    final Config config = ManualTime.config().withFallback(ConfigFactory.load());
    final ActorTestKit kit = ActorTestKit.create("save", config);
    final ManualTime time = ManualTime.get(kit.system());
    final AtomicLong nanos = new AtomicLong();
    final ExecutorService dataPlane = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("data-plane-", 0).factory());
    final FakeGuest guest;
    final Link link = new Link(nanos, RATE);
    final BlockingQueue<SavePath.Event> events = new LinkedBlockingQueue<>();
    final MigrationSettings settings = MigrationSettings.from(config);
    final LearntDowntime learnt = new LearntDowntime(settings);
    final StreamReader peer = new StreamReader(link.destination(), StreamSettings.from(config));
    /** Chunks that have arrived: device, kind and bytes. */
    final List<String> deviceChunks = new CopyOnWriteArrayList<>();

    private final AtomicInteger clockFailures = new AtomicInteger();
    private long pinnedPages;
    private long deadlineMs;
    private final SequencedMap<String, ScriptedDevice> devices = new LinkedHashMap<>();
    private final Arena arena = Arena.ofShared();

    /** Of a VM with that much RAM. */
    SaveFixture(long ramMib) {
        guest = new FakeGuest(ramMib * MIB / GuestMemory.PAGE_SIZE);
    }

    /** One more device, with pre-copy. */
    ScriptedDevice device(String name) {
        ScriptedDevice device = new ScriptedDevice(name, dataPlane);
        devices.put(name, device);
        return device;
    }

    /** A container whose devices have pinned the last {@code pages} of RAM, PERSISTENT. */
    void pin(long pages) {
        pinnedPages = pages;
    }

    /** The migration's own deadline of pre-copy. */
    void deadline(Duration deadline) {
        deadlineMs = deadline.toMillis();
    }

    /** An earlier migration to the same host has shown what the link does, and a fixed cost of 10 ms. */
    void taught() {
        learnt.learn(TO, false, new Switchover(10_000, 1000, RATE, MIB, MIB * 1_000_000 / RATE, 0, 0, MIB, 0, 0));
    }

    private Behavior<MemoryContainer.Command> container() {
        return Behaviors.receiveMessage(command -> {
            switch (command) {
                case MemoryContainer.StartTracking(var replyTo) ->
                    replyTo.tell(new MemoryContainer.TrackingChanged("c0", List.of()));
                case MemoryContainer.StopTracking(var replyTo) ->
                    replyTo.tell(new MemoryContainer.TrackingChanged("c0", List.of()));
                case MemoryContainer.Sync(var dirty, var heldBack, var stopped, var replyTo) -> {
                    (stopped ? dirty : heldBack).setRange(guest.memory().pages() - pinnedPages, pinnedPages);
                    replyTo.tell(new MemoryContainer.Synced("c0", pinnedPages, 0, true, List.of()));
                }
                default -> throw new IllegalStateException("a save path has no use for " + command);
            }
            return Behaviors.same();
        });
    }

    /** Time passes, for timers and clock alike; each call takes ManualTime a tenth of a real second, however long it is. */
    void pass(Duration duration) {
        nanos.addAndGet(duration.toNanos());
        time.timePasses(duration);
    }

    /** Begins to leave, and the destination takes whatever comes. */
    ActorRef<SavePath.Command> begin(SaveLimits limits) {
        VmSpec spec =
                new VmSpec("vm-1", "soft", guest.memory().bytes(), 1, new WorkloadSpec(0, 0, false), List.of(), 1000);
        SequencedMap<String, ActorRef<Device.Command>> actors = new LinkedHashMap<>();
        devices.forEach((name, device) -> actors.put(name, kit.spawn(device.actor())));
        SequencedMap<String, ActorRef<MemoryContainer.Command>> containers = new LinkedHashMap<>();
        if (pinnedPages > 0) {
            containers.put("c0", kit.spawn(container()));
        }
        List<DeviceIdentity> identities = devices.keySet().stream()
                .map(name -> new DeviceIdentity(name, "gpu/1", true))
                .toList();
        Preamble preamble = PreambleCheck.of("m-1", spec, 1, identities, false);
        ActorRef<SavePath.Command> path = kit.spawn(SavePath.create(
                new VmParts(spec, guest, actors, containers, dataPlane, RunLog.NONE),
                preamble,
                TO,
                new MigrationOptions(1000, false, 0, 10_000, deadlineMs, ""),
                limits,
                settings,
                (to, bandwidth) -> {
                    StreamWriter writer = new StreamWriter(link.source(), StreamSettings.from(config), pacer());
                    writer.rateLimit(bandwidth);
                    return writer;
                },
                this::now,
                learnt,
                kit.spawn(Behaviors.receiveMessage(event -> {
                    events.add(event);
                    return Behaviors.same();
                }))));
        dataPlane.execute(this::receive);
        return path;
    }

    /** From now on whatever asks for the time fails, as a mistake of ours would, so many times. */
    void breakClock(int times) {
        clockFailures.set(times);
    }

    private long now() {
        if (clockFailures.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
            throw new IllegalStateException("the clock is broken");
        }
        return nanos.get();
    }

    private Pacer pacer() {
        return new Pacer() {
            @Override
            public long nanoTime() {
                return nanos.get();
            }

            @Override
            public void park(long nanoseconds) {
                // time passes when the test says so: look again in a moment
                LockSupport.parkNanos(100_000);
            }
        };
    }

    private void receive() {
        GuestMemory memory = new GuestMemory(arena.allocate(guest.memory().bytes(), GuestMemory.PAGE_SIZE));
        StreamSink sink = new StreamSink() {
            @Override
            public void deviceChunk(String device, DeviceChunkKind kind, ByteBuffer chunk) {
                deviceChunks.add(device + " " + kind + " " + chunk.remaining());
            }

            @Override
            public void vcpu(int index, byte[] state) {}
        };
        try {
            peer.readPreamble();
            peer.answer(new Answer.Accepted());
            peer.receive(memory, sink);
        } catch (java.io.IOException e) {
            // the save path has ended: there is nothing more to receive
            return;
        }
    }

    /** The next event of that kind; progress is passed over, anything else fails the test. */
    <T extends SavePath.Event> T await(Class<T> kind) {
        return tellUntil(() -> {}, kind);
    }

    /** The very next event. */
    SavePath.Event next() {
        Awaitility.await("for an event").atMost(PATIENCE).until(() -> events.peek() != null);
        return events.remove();
    }

    /** The same, while something is said again and again, as a Vm does until it has taken effect. */
    <T extends SavePath.Event> T tellUntil(Runnable tell, Class<T> kind) {
        AtomicReference<SavePath.Event> found = new AtomicReference<>();
        Awaitility.await("for " + kind.getSimpleName()).atMost(PATIENCE).until(() -> {
            tell.run();
            for (SavePath.Event event = events.poll(); event != null; event = events.poll()) {
                if (kind.isInstance(event)) {
                    found.set(event);
                    return true;
                }
                assertThat(event)
                        .as("while waiting for %s", kind.getSimpleName())
                        .isInstanceOf(SavePath.Event.Progressed.class);
            }
            return false;
        });
        return kind.cast(found.get());
    }

    /** The next progress that is as wanted, a tick passing whenever there is none; anything else fails the test. */
    Progress awaitProgress(Predicate<Progress> wanted) {
        // not by looking at intervals: a guest that never lets up makes more of them in between than could be looked at
        while (true) {
            SavePath.Event event = events.poll();
            if (event == null) {
                pass(settings.tick());
                event = nextEvent();
            }
            assertThat(event).as("while waiting for progress").isInstanceOf(SavePath.Event.Progressed.class);
            Progress progress = ((SavePath.Event.Progressed) event).progress();
            if (wanted.test(progress)) {
                return progress;
            }
        }
    }

    private SavePath.@Nullable Event nextEvent() {
        try {
            return events.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while waiting for progress", e);
        }
    }

    @Override
    public void close() {
        kit.shutdownTestKit();
        dataPlane.shutdownNow();
    }
}
