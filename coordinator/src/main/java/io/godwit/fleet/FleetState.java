package io.godwit.fleet;

import io.godwit.fleet.FleetEvent.HostCordoned;
import io.godwit.fleet.FleetEvent.VmDeregistered;
import io.godwit.fleet.FleetEvent.VmRegistered;
import io.godwit.proto.KryoMessage;
import io.godwit.proto.vm.VmSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The part of the fleet that lasts.
 *
 * @param cordoned hosts on which nothing new may be placed
 * @param vms VMs that shall exist
 */
public record FleetState(List<String> cordoned, List<VmSpec> vms) implements KryoMessage {
    static final FleetState EMPTY = new FleetState(List.of(), List.of());

    public FleetState {
        cordoned = List.copyOf(cordoned);
        vms = List.copyOf(vms);
    }

    /** The registered VM of that name, if any. */
    public Optional<VmSpec> vm(String name) {
        return vms.stream().filter(spec -> spec.name().equals(name)).findFirst();
    }

    /** The state after {@code event}. */
    public FleetState apply(FleetEvent event) {
        return switch (event) {
            case HostCordoned(var host, var now) -> {
                List<String> hosts = new ArrayList<>(cordoned);
                hosts.remove(host);
                if (now) {
                    hosts.add(host);
                }
                yield new FleetState(hosts, vms);
            }
            case VmRegistered(var spec) -> {
                List<VmSpec> all = new ArrayList<>(vms);
                all.add(spec);
                yield new FleetState(cordoned, all);
            }
            case VmDeregistered(var vm) ->
                new FleetState(
                        cordoned,
                        vms.stream().filter(spec -> !spec.name().equals(vm)).toList());
        };
    }
}
