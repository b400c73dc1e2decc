import type { Check } from "../check.ts";
import { editCommand } from "../commands.ts";
import { fine } from "../finding.ts";
import type { World } from "../world.ts";

const ACTIONS = "/proc/sys/kernel/seccomp/actions_avail";
const PTRACE_SCOPE = "/proc/sys/kernel/yama/ptrace_scope";
/** Nobody may trace anything. */
const NO_PTRACE = "3";

/** Which way programs of agents are held until they are decided, and whether this kernel has it. */
export const execGateCheck: Check = {
  category: "execution gate",
  run(world) {
    const project = world.project();
    if (project.kind === "loaded" && project.config.run.localExec.gate === "off") {
      return [{
        status: "warn",
        reason: "off: what agents start is neither decided nor recorded",
        cure: editCommand(project.file.file),
      }];
    }
    const missing = lacking(world);
    if (missing === undefined) return [fine("the kernel asks before each program is executed")];
    return [{ status: "fail", ...missing }];
  },
};

function lacking(world: World): { readonly reason: string; readonly cure: string } | undefined {
  const actions = world.setting(ACTIONS);
  if (actions !== undefined && !actions.split(/\s+/).includes("user_notif")) {
    return { reason: "this kernel does not ask before a program is executed", cure: "uname -r" };
  }
  if (world.setting(PTRACE_SCOPE)?.trim() !== NO_PTRACE) return undefined;
  return {
    reason: "no program may be traced, so that nobody could see what runs in the end",
    cure: "sysctl kernel.yama.ptrace_scope=1",
  };
}
