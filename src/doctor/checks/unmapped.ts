import { readRange } from "../../audit/tail.ts";
import { shellWord } from "../../core/shell.ts";
import { parseTimestamp } from "../../core/timestamp.ts";
import { auditPathOf } from "../audit_path.ts";
import type { Check } from "../check.ts";
import { type Finding, fine } from "../finding.ts";
import { type LoadedProject, trustedProject } from "../project.ts";
import { readTable } from "./mappings.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** How much of the end of the log is read: some thousand events. */
const LOOK_BACK_BYTES = 4 * 1024 * 1024;
/** As many as somebody will read. */
const MOST_HOSTS = 10;

/**
 * What an agent may call a host that goes into a command for somebody to paste:
 * nothing that a shell, a terminal or TOML would take for anything else.
 */
const HOST =
  /^(?=.{1,253}$)(?=.*[a-z][a-z0-9-]*$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+$/;

/** Hosts that the agent of the project called in the last day and that no rule of it names. */
export const unmappedCheck: Check = {
  category: "unmapped hosts",
  async run(world) {
    const project = trustedProject(world.project());
    const path = auditPathOf(world);
    if (project === undefined || path === undefined) return [fine("no mapping here to name them")];
    const { agentId } = project.config.sidecar.authority;
    const hosts = deniedHosts(path, { agentId, sinceMs: world.now() - DAY_MS });
    if (hosts.size === 0) return [fine("none was called in the last day")];
    const table = await readTable(project.files);
    const unknown = [...hosts].filter(([host]) => !(table.ok && table.value.namesHost(host)));
    if (unknown.length === 0) return [fine("those called in the last day are mapped by now")];
    const shown = unknown.toSorted(([, a], [, b]) => b - a).slice(0, MOST_HOSTS);
    return shown.map(([host, count]) => finding(host, count, project));
  },
};

function finding(host: string, count: number, { isNamed, file }: LoadedProject): Finding {
  const times = count === 1 ? "once" : `${count} times`;
  const config = isNamed ? ` --config ${shellWord(file.file)}` : "";
  return {
    status: "warn",
    reason: `an agent was denied ${host} ${times}: no mapping rule names it`,
    detail: `if that was right, leave it; this names it: host = "${host}", ` +
      'action_class = "communication.external.send"',
    cure: `firma config${config} --yes --extra-hosts ${host}`,
  };
}

interface Wanted {
  readonly agentId: string;
  readonly sinceMs: number;
}

/** How often each host was denied because no rule named the call. */
function deniedHosts(path: string, wanted: Wanted): Map<string, number> {
  const hosts = new Map<string, number>();
  for (const line of lastLines(path)) {
    if (!line.includes('"UnclassifiedIntent"')) continue;
    const host = hostOf(line, wanted);
    if (host !== undefined) hosts.set(host, (hosts.get(host) ?? 0) + 1);
  }
  return hosts;
}

function hostOf(line: string, { agentId, sinceMs }: Wanted): string | undefined {
  try {
    const { kind, deny_reason, agent_id, resource, timestamp } = JSON.parse(line);
    if (kind !== "decision" || deny_reason !== "UnclassifiedIntent") return undefined;
    if (agent_id !== agentId) return undefined; // the log is that of all projects
    if ((parseTimestamp(timestamp) ?? 0) < sinceMs) return undefined;
    const host = /^[^/?]*/.exec(resource)![0].replace(/:\d+$/, "");
    return HOST.test(host) ? host : undefined;
  } catch {
    return undefined; // cut off, or none of ours
  }
}

function lastLines(path: string): string[] {
  try {
    using file = Deno.openSync(path, { read: true });
    const { isFile, size } = file.statSync();
    if (!isFile) return [];
    const start = Math.max(0, size - LOOK_BACK_BYTES);
    return new TextDecoder().decode(readRange(file, start, size)).split("\n");
  } catch {
    return []; // the check of the log says what is wrong with it
  }
}
