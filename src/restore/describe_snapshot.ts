import { files } from "./loss_findings.ts";
import type { SnapshotHeader, Unprotected } from "./manifest.ts";

/** How many paths the start line names. */
const MOST_NAMED = 3;

const UNITS = ["bytes", "KB", "MB", "GB", "TB"] as const;

/** A number of bytes as people read it. */
export function size(bytes: number): string {
  let [amount, unit] = [bytes, 0];
  for (; amount >= 1000 && unit < UNITS.length - 1; unit++) amount /= 1000;
  return `${amount < 10 && unit > 0 ? amount.toFixed(1) : Math.round(amount)} ${UNITS[unit]}`;
}

/** What was taken, in how long, and what is not in it: one line, not escaped. */
export function describeSnapshot(header: SnapshotHeader): string {
  const { bytes, copiedBytes, tookMs } = header;
  const copied = copiedBytes === bytes ? "" : `, ${size(copiedBytes)} of it new`;
  const taken = `snapshot of ${files(header.files + header.links)} (${size(bytes)}${copied}) in ${
    (tookMs / 1000).toFixed(2)
  } s`;
  return taken + describeUnprotected(header);
}

function describeUnprotected({ unprotected, unprotectedCount }: SnapshotHeader): string {
  if (unprotectedCount === 0) return "";
  const named = unprotected.slice(0, MOST_NAMED).map(describeOne).join(", ");
  const more = unprotectedCount - Math.min(MOST_NAMED, unprotected.length);
  return `; not protected: ${named}${more > 0 ? ` and ${more.toLocaleString("en")} more` : ""}`;
}

/** A path that is not protected, and why. */
export function describeOne({ path, reason }: Unprotected): string {
  return `${path} (${reason})`;
}
