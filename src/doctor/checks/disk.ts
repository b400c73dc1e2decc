import { stateDir } from "../../config/paths.ts";
import { dirname } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import { exists } from "../../sandbox/paths.ts";
import { auditPathOf } from "../audit_path.ts";
import type { Check } from "../check.ts";
import { type Finding, fine } from "../finding.ts";

const MEBIBYTE = 1024 * 1024;
/** Below this, somebody should make room soon. */
const SCARCE = 200 * MEBIBYTE;
/** Below this, the next busy hour may fill it; then every call is denied. */
const GONE = 10 * MEBIBYTE;

/** Whether the audit log can go on: when it cannot be written, every call is denied. */
export const diskCheck: Check = {
  category: "disk space",
  async run(world) {
    const audit = auditPathOf(world);
    const wanted = [...(audit === undefined ? [] : [dirname(audit)]), stateDir(world.env)];
    const places = new Set(wanted.map(nearestExisting));
    const found = await Promise.all([...places].map(async (place): Promise<Finding> => {
      const free = await world.freeBytes(place);
      const reason = `${Math.floor(free / MEBIBYTE)} MiB free at ${place}`;
      if (free >= SCARCE) return fine(reason);
      const status = free < GONE ? "fail" : "warn";
      return { status, reason, cure: `du -xh ${shellWord(place)} | sort -h | tail -n 20` };
    }));
    return found;
  },
};

function nearestExisting(path: string): string {
  return exists(path) ? path : nearestExisting(dirname(path));
}
