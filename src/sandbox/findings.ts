import type { SandboxFinding } from "../core/event.ts";
import type { RefusalReport } from "./init/refusals/tally.ts";

/** Longer texts are cut: an agent chooses names of files and hosts. */
const LONGEST = 1000;

/** What a sandbox tells of attempts to reach what no sandbox reaches. */
export function connectionFinding({ refusal, count }: RefusalReport): SandboxFinding {
  if (refusal === undefined) {
    return { finding: "connection", detail: "other connections, too many to be told apart", count };
  }
  const { protocol, address, port, host, pid, executable } = refusal;
  const where = host === undefined ? address : `${host} (${address})`;
  return {
    finding: "connection",
    detail: cut(`${protocol} to ${where} port ${port}`),
    count,
    ...(pid !== undefined && executable !== undefined && {
      program: { pid, executable: cut(executable) },
    }),
  };
}

/** What a sandbox tells of a text that its operator is told as well. */
export function textFinding(
  finding: "seal" | "limit" | "gate",
  detail: string,
  count = 1,
): SandboxFinding {
  return { finding, detail: cut(detail), count };
}

/** What an operator is told where shims ask in place of the kernel, and what that leaves open. */
export function shimsNotice(reason: string): string {
  return `execution gate: shims (${reason}): only programs that rules name are decided and ` +
    "recorded, and only where they are started by name or path";
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
