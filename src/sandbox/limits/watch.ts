import type { LimitsConfig } from "../../config/schema.ts";
import { after } from "../../core/after.ts";
import { textFinding } from "../findings.ts";
import type { ConfineRequest } from "../request.ts";
import type { CgroupFindings } from "./cgroup.ts";
import type { HeldLimits } from "./hold.ts";
import { LIMIT_KEYS, valueText } from "./say.ts";

/** How often the kernel is asked what it did, in milliseconds. */
const EVERY_MS = 10_000;

/**
 * Records what the kernel did about the limits of a run, in which it has a cgroup. Returns how to
 * stop, which tells the operator as well: before, an agent has the terminal.
 */
export function watchLimits(
  { plan, cgroup }: HeldLimits,
  { onFinding, onNotice }: Pick<ConfineRequest, "onFinding" | "onNotice">,
): () => void {
  if (cgroup === undefined) return () => {};
  let seen: CgroupFindings = { killed: 0, refused: 0 };
  const limit = (name: keyof LimitsConfig) => {
    const held = plan.held.find((each) => each.name === name);
    return held ? `${LIMIT_KEYS[name]}, ${valueText(name, held.value)}` : "of the machine";
  };
  const tell = (what: string, count: number) => {
    if (count > 0) onFinding?.(textFinding("limit", what, count));
  };
  const look = () => {
    const now = cgroup.findings();
    tell(
      `the kernel ended a process for want of memory (${limit("memoryBytes")})`,
      now.killed - seen.killed,
    );
    tell(`the kernel refused a new process (${limit("processes")})`, now.refused - seen.refused);
    seen = now;
  };
  let stop: () => void;
  const lookLater = () => {
    stop = after(EVERY_MS, () => {
      look();
      lookLater();
    });
  };
  lookLater();
  return () => {
    stop();
    look();
    const { killed, refused } = seen;
    if (killed > 0) {
      onNotice?.(
        `the kernel ended ${killed} process${killed === 1 ? "" : "es"} of the agent, which had ` +
          `used up its memory (${limit("memoryBytes")})`,
      );
    }
    if (refused > 0) {
      onNotice?.(
        `the agent ran into its limit of processes (${limit("processes")}): the kernel refused ` +
          `${refused}`,
      );
    }
  };
}
