package io.godwit.agent;

import io.godwit.device.DeviceModels;
import io.godwit.device.DeviceTicker;
import io.godwit.migration.LearntDowntime;
import io.godwit.migration.MigrationSettings;
import io.godwit.migration.SavePath;
import io.godwit.proto.MonotonicClock;
import io.godwit.proto.host.DataEndpoint;
import io.godwit.proto.migration.MigrationMessage;
import io.godwit.proto.ownership.OwnershipCommand;
import io.godwit.vm.RunLog;
import io.godwit.vm.Vm;
import io.godwit.vm.VmHost;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;

/** The agent's ports to the outside: a {@link VmHost} but for the observer, who is the agent itself. */
public record HostPorts(
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
        ActorRef<OwnershipCommand> ledger) {
    /** The same ports for an agent of a self-test: what it says stays in the process, and it is no host of the fleet. */
    HostPorts forSelfTest(String id, ActorRef<MigrationMessage> testReports, ActorRef<OwnershipCommand> testLedger) {
        return new HostPorts(
                id,
                endpoint,
                models,
                ticker,
                opener,
                dataPlane,
                clock,
                learnt,
                RunLog.NONE,
                settings,
                testReports,
                testLedger);
    }

    VmHost lend(ActorRef<Vm.Event> observer) {
        return new VmHost(
                host, endpoint, models, ticker, opener, dataPlane, clock, learnt, runLog, settings, reports, ledger,
                observer);
    }
}
