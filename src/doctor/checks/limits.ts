import { describeLimits } from "../../sandbox/limits/say.ts";
import type { Check } from "../check.ts";
import { fine } from "../finding.ts";

/** What holds an agent to its limits. Memory and processors are nobody's to hold unless asked for. */
export const limitsCheck: Check = {
  category: "limits",
  run(world) {
    const held = world.limits();
    const detail = describeLimits(held)
      .map(({ limit, held_by }) => `${limit}: ${held_by}`).join("\n");
    const open = held.find(({ name, means }) => name === "processes" && means === "nothing");
    if (open === undefined) {
      const isCgroup = held.some(({ means }) => means === "cgroup");
      return [fine(isCgroup ? "held by cgroups" : "held by what processes inherit", detail)];
    }
    return [{
      status: "warn",
      reason: "nothing keeps an agent from starting as many processes as it wants",
      detail,
      cure: "systemd-run --user --scope -p Delegate=yes firma run -- true",
    }];
  },
};
