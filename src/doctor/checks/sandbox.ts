import type { Check } from "../check.ts";
import { installCommand } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import type { World } from "../world.ts";

/** Whether both layers of the sandbox really start, and hold a program as they should. */
export const sandboxCheck: Check = {
  category: "sandbox starts",
  async run(world) {
    const result = await world.preflight();
    if (!result.ok) {
      const { code, message, cure } = result.error;
      const detail = [...result.said.slice(-5), ...(cure ? [cure] : [])].join("\n");
      return [{
        status: "fail",
        reason: message,
        ...(detail && { detail }),
        cure: cureOf(code, world),
      }];
    }
    const capabilities = field(result.status, "CapEff");
    if (capabilities !== "0000000000000000") {
      const reason = `a program in it has capabilities: ${capabilities ?? "not known which"}`;
      return [{ status: "fail", reason, cure: installCommand("bubblewrap", world) }];
    }
    return [fine("both layers start; a program in them has no capabilities")];
  },
};

/** Whether the kernel takes the filter of system calls that an agent runs under. */
export const seccompCheck: Check = {
  category: "seccomp filter",
  async run(world) {
    const result = await world.preflight();
    if (!result.ok) {
      return [{ status: "fail", reason: "no sandbox, no filter", cure: cureOf("", world) }];
    }
    if (field(result.status, "Seccomp") === "2" && field(result.status, "NoNewPrivs") === "1") {
      return [fine("it is in force in the sandbox, and new privileges are off")];
    }
    const reason = "a program in the sandbox runs without it";
    return [{ status: "fail", reason, cure: SHOW_KERNEL }] satisfies Finding[];
  },
};

const SHOW_KERNEL = "grep -E 'CONFIG_SECCOMP' \"/boot/config-$(uname -r)\"";

function cureOf(code: string, world: World): string {
  if (code === "BWRAP_MISSING" || code === "BWRAP_TOO_OLD") {
    return installCommand("bubblewrap", world);
  }
  if (code === "NESTED_SANDBOX") return "exit";
  return "bwrap --unshare-all --unshare-user --ro-bind / / true";
}

function field(status: string, name: string): string | undefined {
  return new RegExp(`^${name}:\\s*(\\S+)`, "m").exec(status)?.[1];
}
