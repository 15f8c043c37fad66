package io.godwit.device;

import com.typesafe.config.Config;
import io.godwit.memory.IommuSpace;
import io.godwit.proto.vm.DeviceSpec;
import io.godwit.vm.GuestLayout;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;

/** The device models there are, by the name a {@link DeviceSpec} gives them. */
public final class DeviceModels {
    /** Makes a device of one model. */
    private interface Factory {
        VfioDevice create(DeviceSpec spec, GuestLayout layout, IommuSpace space, DeviceTicker ticker)
                throws DeviceException;
    }

    private record Model(String identity, DeviceCapabilities capabilities, Factory factory) {}

    private final Map<String, Model> models;
    private final Duration period;
    private final Function<String, DeviceFaults> faults;

    private DeviceModels(Map<String, Model> models, Duration period, Function<String, DeviceFaults> faults) {
        this.models = models;
        this.period = period;
        this.faults = faults;
    }

    private DeviceModels(Config config, Function<String, DeviceFaults> faults) {
        this(new TreeMap<>(), config.getDuration("godwit.device.model-tick"), faults);
        int window = Math.toIntExact(config.getBytes("godwit.device.model-window-bytes"));
        models.put("gpu", v2("gpu", new DeviceCapabilities(true, true)));
        models.put("vnic", v2("vnic", new DeviceCapabilities(false, true)));
        models.put(
                "nic",
                new Model(
                        NicModel.MODEL,
                        RegionDeviceAdapter.CAPABILITIES,
                        (spec, layout, space, ticker) -> new RegionDeviceAdapter(
                                spec.name(),
                                NicModel.create(spec, layout, space, ticker, period, window, faults.apply(spec.name())),
                                spec.stateBytes())));
    }

    private Model v2(String name, DeviceCapabilities capabilities) {
        String identity = name + "/1";
        return new Model(
                identity,
                capabilities,
                (spec, layout, space, ticker) -> V2Model.create(
                        identity, capabilities, spec, layout, space, ticker, period, faults.apply(spec.name())));
    }

    /** All of them, with the settings under {@code godwit.device} in {@code config}, without faults. */
    public static DeviceModels standard(Config config) {
        return new DeviceModels(config, _ -> new DeviceFaults());
    }

    /** As {@link #standard}; {@code faults} gives the fault switches of a device by its name. */
    public static DeviceModels withFaults(Config config, Function<String, DeviceFaults> faults) {
        return new DeviceModels(config, faults);
    }

    /**
     * These and one more of protocol v2, version 1 of its state, for a test that needs other capabilities than the standard
     * ones have.
     */
    public DeviceModels with(String name, DeviceCapabilities capabilities) {
        DeviceModels more = new DeviceModels(new TreeMap<>(models), period, faults);
        more.models.put(name, v2(name, capabilities));
        return more;
    }

    /**
     * Makes the device that {@code spec} describes, standing in STOP, its memory mapped and pinned in {@code space}.
     *
     * @throws IllegalArgumentException when there is no such model, or the spec has a value that the model cannot have
     * @throws DeviceException when {@code space} refuses its pins
     */
    public VfioDevice create(DeviceSpec spec, GuestLayout layout, IommuSpace space, DeviceTicker ticker)
            throws DeviceException {
        return model(spec).factory().create(spec, layout, space, ticker);
    }

    /**
     * Model name and state format version of the device that {@code spec} describes, such as {@code gpu/1}.
     *
     * @throws IllegalArgumentException when there is no such model
     */
    public String identity(DeviceSpec spec) {
        return model(spec).identity();
    }

    /**
     * Which optional states the device that {@code spec} describes has, known before it is made.
     *
     * @throws IllegalArgumentException when there is no such model
     */
    public DeviceCapabilities capabilities(DeviceSpec spec) {
        return model(spec).capabilities();
    }

    /** Whether there is the model of the device that {@code spec} describes. */
    public boolean knows(DeviceSpec spec) {
        return models.containsKey(spec.model());
    }

    private Model model(DeviceSpec spec) {
        Model model = models.get(spec.model());
        if (model == null) {
            throw new IllegalArgumentException(
                    "device " + spec.name() + ": no model '" + spec.model() + "'; expected one of " + models.keySet());
        }
        return model;
    }
}
