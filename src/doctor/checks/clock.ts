import { auditPathOf } from "../audit_path.ts";
import { readTail } from "../../audit/tail.ts";
import { parseTimestamp } from "../../core/timestamp.ts";
import type { Check } from "../check.ts";
import { asRoot } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import type { World } from "../world.ts";

/** How far two readings of the time may be apart, in milliseconds. */
const TOLERANCE_MS = 5_000;
/** How long the two clocks are compared. */
const SAMPLE_MS = 200;
/** How far they may part in that time: more than any correction that is meant to go unseen. */
const DRIFT_MS = 100;
/** How long reading both may take. */
const READING_MS = 20;
const MOST_READINGS = 100;

/** Files that tell that something keeps the clock right. */
const KEEPERS: readonly (readonly [path: string, name: string])[] = [
  ["/run/systemd/timesync/synchronized", "systemd-timesyncd"],
  ["/run/chrony/chronyd.pid", "chronyd"],
  ["/run/chronyd.pid", "chronyd"],
  ["/run/ntpd.pid", "ntpd"],
  ["/var/run/ntpd.pid", "ntpd"],
];

/** Whether the clock can be right: tokens, certificates and the audit log go by it. */
export const clockCheck: Check = {
  category: "clock",
  async run(world) {
    const before = offset(world);
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    const drift = offset(world) - before;
    const cure = asRoot("timedatectl set-ntp true", world.uid);
    if (Math.abs(drift) > DRIFT_MS) {
      const reason = `it moved by ${Math.round(drift)} ms while it was watched`;
      return [{ status: "warn", reason, cure }];
    }
    const behind = behindLog(world);
    if (behind !== undefined) return [{ ...behind, cure }];
    const keeper = KEEPERS.find(([path]) => world.setting(path) !== undefined)?.[1];
    return [fine(keeper ? `kept by ${keeper}` : "runs evenly; who keeps it is not known here")];
  },
};

/** By how much the wall clock is ahead of the monotone one, in milliseconds. */
function offset(world: World): number {
  for (let tries = 1;; tries++) {
    const from = performance.now();
    const wall = world.now();
    const to = performance.now();
    // A process that had to wait between two readings has compared nothing.
    if (to - from <= READING_MS || tries === MOST_READINGS) return wall - (from + to) / 2;
  }
}

/** The audit log has an event of a later time than now: the clock went back. */
function behindLog(world: World): Finding | undefined {
  const path = auditPathOf(world);
  const last = path === undefined ? undefined : lastEventMs(path);
  if (last === undefined || last - world.now() <= TOLERANCE_MS) return undefined;
  const seconds = Math.round((last - world.now()) / 1000);
  return {
    status: "warn",
    reason: `it is ${seconds} s behind the last event of the audit log`,
  };
}

function lastEventMs(path: string): number | undefined {
  try {
    using file = Deno.openSync(path, { read: true });
    const tail = readTail(file, path, file.statSync().size);
    if (!tail.ok || tail.value.lastLine === undefined) return undefined;
    const { timestamp } = JSON.parse(new TextDecoder().decode(tail.value.lastLine));
    return typeof timestamp === "string" ? parseTimestamp(timestamp) : undefined;
  } catch {
    return undefined; // the check of the log says what is wrong with it
  }
}
