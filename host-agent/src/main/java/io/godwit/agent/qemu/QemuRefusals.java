package io.godwit.agent.qemu;

import io.godwit.proto.host.HostCommand;

/** Answers to commands that a state does not take, each where its sender waits for it. */
final class QemuRefusals {
    private QemuRefusals() {}

    static void refuse(QemuCore core, HostCommand asked, String reason) {
        switch (asked) {
            case HostCommand.CreateVm c -> c.replyTo().tell(core.refusal(reason));
            case HostCommand.DestroyVm c -> c.replyTo().tell(core.refusal(reason));
            case HostCommand.CheckVm c -> c.replyTo().tell(core.refusal(reason));
            case HostCommand.DescribeVm c -> c.replyTo().tell(core.refusal(reason));
            case HostCommand.BeginSave c -> core.refuse(c.migration(), "BeginSave", reason);
            case HostCommand.SwitchOver c -> core.refuse(c.migration(), "SwitchOver", reason);
            case HostCommand.AdjustSave c -> core.refuse(c.migration(), "AdjustSave", reason);
            case HostCommand.CancelSave c -> core.refuse(c.migration(), "CancelSave", reason);
            case HostCommand.RunVm c -> core.refuse(c.migration(), "RunVm", reason);
            case HostCommand.ReleaseSource c -> core.refuse(c.migration(), "ReleaseSource", reason);
            case HostCommand.PrepareIncoming c -> core.refuse(c.migration(), "PrepareIncoming", reason);
            case HostCommand.DiscardIncoming c -> core.refuse(c.migration(), "DiscardIncoming", reason);
        }
    }
}
