import type { Execution, GateMessage, SidecarMessage } from "../../../core/local_exec.ts";
import { countFiles } from "./count_files.ts";
import { fingerprintFiles } from "./fingerprint_files.ts";
import type { Programs } from "./program.ts";

/** What the Sidecar may want to know before it answers a question. */
type Inquiry = Extract<SidecarMessage, { readonly kind: "count" | "state" }>;

/** Finds out what the Sidecar wants to know of an execution that process `pid` waits for. */
export function findOut(
  inquiry: Inquiry,
  programs: Programs,
  pid: number,
  execution: Execution,
): GateMessage {
  const { number } = inquiry;
  if (inquiry.kind === "count") {
    const files = countFiles(programs, pid, inquiry.paths, inquiry.recursive);
    return { kind: "counted", number, ...(files !== undefined && { files }) };
  }
  const files = fingerprintFiles(programs, pid, execution);
  return { kind: "stated", number, ...(files !== undefined && { files }) };
}
