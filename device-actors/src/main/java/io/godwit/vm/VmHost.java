package io.godwit.vm;

import io.godwit.device.DeviceModels;
import io.godwit.device.DeviceTicker;
import io.godwit.migration.LearntDowntime;
import io.godwit.migration.MigrationSettings;
import io.godwit.migration.SavePath;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;

/**
 * What a host lends to every Vm actor on it: ports to the outside, all of them replaceable in a test.
 *
 * @param host id of the host
 * @param endpoint where it takes migration streams
 * @param models its device models
 * @param ticker time for model devices
 * @param opener opens streams to other hosts
 * @param dataPlane where blocking work runs
 * @param clock elapsed time
 * @param learnt what past migrations taught of fixed downtime
 * @param runLog where runs are recorded
 * @param settings limits of save and resume paths
 * @param reports takes what goes to {@code Migration[id]}, wherever that lives
 * @param ledger takes what goes to {@code Ownership[vm]}, wherever that lives
 * @param observer hears how each VM stands, on every change
 */
public record VmHost(
        String host,
        DataEndpoint endpoint,
        DeviceModels models,
        DeviceTicker ticker,
        SavePath.StreamOpener opener,
        Executor dataPlane,
        MonotonicClock clock,
        LearntDowntime learnt,
        RunLog runLog,
        MigrationSettings settings,
        ActorRef<MigrationMessage> reports,
        ActorRef<OwnershipCommand> ledger,
        ActorRef<Vm.Event> observer) {}
