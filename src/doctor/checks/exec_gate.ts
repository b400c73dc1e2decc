import { isAboutEveryProgram } from "../../config/local_exec.ts";
import type { FirmaConfig } from "../../config/schema.ts";
import type { Check } from "../check.ts";
import { editCommand } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import type { World } from "../world.ts";

const ACTIONS = "/proc/sys/kernel/seccomp/actions_avail";
const PTRACE_SCOPE = "/proc/sys/kernel/yama/ptrace_scope";
/** Nobody may trace anything. */
const NO_PTRACE = "3";

/** Which way programs of agents are held until they are decided here. */
export const execGateCheck: Check = {
  category: "execution gate",
  async run(world) {
    const project = world.project();
    const config = project.kind === "loaded" ? project.config : undefined;
    if (project.kind === "loaded" && config?.run.localExec.gate === "off") {
      return [{
        status: "warn",
        reason: "off: what agents start is neither decided nor recorded",
        cure: editCommand(project.file.file),
      }];
    }
    const missing = lacking(world) ?? await refused(world);
    if (missing === undefined) {
      return [fine("notification: the kernel asks before each program is executed")];
    }
    return [without(missing, config)];
  },
};

interface Missing {
  readonly reason: string;
  readonly cure: string;
}

/** What holds where the kernel does not ask. */
function without({ reason, cure }: Missing, config: FirmaConfig | undefined): Finding {
  if (config?.run.localExec.gate === "required") {
    const detail = 'no agent starts: gate = "required" in [run.sidecar_local_exec]';
    return { status: "fail", reason, detail, cure };
  }
  if (config !== undefined && isAboutEveryProgram(config.sidecar.localExec)) {
    const detail = 'no agent starts: default_action = "deny" and allowed_executables in ' +
      "[sidecar.local_exec] are about every program, and shims are in the places of some";
    return { status: "fail", reason, detail, cure };
  }
  return {
    status: "warn",
    reason: `shims: ${reason}`,
    detail: "only programs that rules name are decided and recorded, and only where they are " +
      "started by name or path",
    cure,
  };
}

/** What the settings of the kernel say. */
function lacking(world: World): Missing | undefined {
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

/** What the kernel says when it is asked; without a sandbox, there is nothing to hold. */
async function refused(world: World): Promise<Missing | undefined> {
  const result = await world.preflight();
  if (!result.ok || result.noGate === undefined) return undefined;
  const cure = "docker run --security-opt seccomp=unconfined IMAGE";
  return { reason: result.noGate, cure };
}
