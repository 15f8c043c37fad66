package io.godwit.stream;

import io.godwit.proto.wire.AnswerAccepted;
import io.godwit.proto.wire.AnswerLoaded;
import io.godwit.proto.wire.AnswerRefused;
import io.godwit.proto.wire.AnswerRunning;
import io.godwit.proto.wire.AnswerSwitchoverReady;
import io.godwit.proto.wire.DeviceChunk;
import io.godwit.proto.wire.DeviceDigest;
import io.godwit.proto.wire.Frame;
import io.godwit.proto.wire.RamRegion;
import io.godwit.proto.wire.StreamEnd;
import io.godwit.proto.wire.VcpuState;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** Between the records of this package and their Protobuf messages. */
final class WireForms {
    /** A refusal's reason is for people: what is longer than this is cut. */
    private static final int REASON_CHARS_MAX = 2000;

    private WireForms() {}

    static Frame frame(Preamble preamble) {
        var message = io.godwit.proto.wire.Preamble.newBuilder()
                .setMigration(preamble.migration())
                .setVm(preamble.vm())
                .setEpoch(preamble.epoch())
                .setPageSize(preamble.pageSize())
                .addRam(RamRegion.newBuilder().setBytes(preamble.ramBytes()))
                .setVcpus(preamble.vcpus())
                .setDriver(preamble.driver())
                .setVerify(preamble.verify());
        for (DeviceIdentity device : preamble.devices()) {
            message.addDevices(io.godwit.proto.wire.DeviceIdentity.newBuilder()
                    .setName(device.name())
                    .setModel(device.model())
                    .setPreCopy(device.preCopy()));
        }
        return Frame.newBuilder().setPreamble(message).build();
    }

    static Frame frame(String device, DeviceChunkKind kind, int bytes, int crc) {
        return Frame.newBuilder()
                .setDeviceChunk(DeviceChunk.newBuilder()
                        .setDevice(device)
                        .setKind(kind.name())
                        .setBytes(bytes)
                        .setCrc32C(crc))
                .build();
    }

    static Frame frame(int vcpu, int bytes, int crc) {
        return Frame.newBuilder()
                .setVcpuState(
                        VcpuState.newBuilder().setIndex(vcpu).setBytes(bytes).setCrc32C(crc))
                .build();
    }

    static Frame frame(Digests digests, boolean verify) {
        StreamEnd.Builder end = StreamEnd.newBuilder()
                .setRamDigest(digests.ram())
                .setVcpuDigest(digests.vcpus())
                .setVerify(verify);
        // sorted, so that the same digests give the same bytes
        new TreeMap<>(digests.devices())
                .forEach((name, digest) ->
                        end.addDevices(DeviceDigest.newBuilder().setDevice(name).setDigest(digest)));
        return Frame.newBuilder().setEnd(end).build();
    }

    static io.godwit.proto.wire.Answer message(Answer answer) {
        var message = io.godwit.proto.wire.Answer.newBuilder();
        switch (answer) {
            case Answer.Accepted() -> message.setAccepted(AnswerAccepted.getDefaultInstance());
            case Answer.Refused(var reason) ->
                message.setRefused(AnswerRefused.newBuilder()
                        .setReason(
                                reason.length() <= REASON_CHARS_MAX ? reason : reason.substring(0, REASON_CHARS_MAX)));
            case Answer.SwitchoverReady() -> message.setSwitchoverReady(AnswerSwitchoverReady.getDefaultInstance());
            case Answer.Loaded(var verified, var micros) ->
                message.setLoaded(
                        AnswerLoaded.newBuilder().setVerified(verified).setDigestMicros(micros));
            case Answer.Running(var micros) ->
                message.setRunning(AnswerRunning.newBuilder().setResumeMicros(micros));
        }
        return message.build();
    }

    static Answer answer(io.godwit.proto.wire.Answer message) throws StreamException {
        return switch (message.getBodyCase()) {
            case ACCEPTED -> new Answer.Accepted();
            case REFUSED -> new Answer.Refused(message.getRefused().getReason());
            case SWITCHOVER_READY -> new Answer.SwitchoverReady();
            case LOADED ->
                new Answer.Loaded(
                        message.getLoaded().getVerified(), message.getLoaded().getDigestMicros());
            case RUNNING -> new Answer.Running(message.getRunning().getResumeMicros());
            case BODY_NOT_SET ->
                throw new StreamException(
                        "unknown answer; expected accepted, refused, ready to switch over, loaded or running");
        };
    }

    static Preamble preamble(io.godwit.proto.wire.Preamble message, StreamSettings limits) throws StreamException {
        if (message.getRamCount() != 1 || message.getRam(0).getGpa() != 0) {
            throw new StreamException(
                    "preamble with RAM regions " + message.getRamList() + "; expected one region from address 0");
        }
        bounded("devices", message.getDevicesCount(), 0, limits.devicesMax());
        bounded("vCPUs", message.getVcpus(), 1, limits.vcpusMax());
        var devices = new ArrayList<DeviceIdentity>();
        for (var device : message.getDevicesList()) {
            if (devices.stream().anyMatch(known -> known.name().equals(device.getName()))) {
                throw new StreamException("preamble names device " + device.getName() + " twice");
            }
            devices.add(new DeviceIdentity(device.getName(), device.getModel(), device.getPreCopy()));
        }
        return new Preamble(
                message.getMigration(),
                message.getVm(),
                message.getEpoch(),
                message.getPageSize(),
                message.getRam(0).getBytes(),
                message.getVcpus(),
                message.getDriver(),
                devices,
                message.getVerify());
    }

    static Digests digests(StreamEnd message) throws StreamException {
        Map<String, Long> devices = new HashMap<>();
        for (DeviceDigest device : message.getDevicesList()) {
            if (devices.put(device.getDevice(), device.getDigest()) != null) {
                throw new StreamException("end frame has two digests of device " + device.getDevice());
            }
        }
        return new Digests(message.getRamDigest(), devices, message.getVcpuDigest());
    }

    private static void bounded(String what, int count, int min, int max) throws StreamException {
        if (count < min || count > max) {
            throw new StreamException(
                    "preamble with " + count + " " + what + "; expected " + min + " to " + max + " (godwit.stream)");
        }
    }
}
