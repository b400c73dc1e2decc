import { reachOf } from "./keys/credentials/reach.ts";
import type { OperatorFile } from "./operator_files.ts";
import { USUAL_PROCESSES } from "./keys/usual_limits.ts";
import type { FirmaConfig } from "./schema.ts";

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** Counts words at the start of a statement, outside comments and strings; for people, not for policy. */
function countStatements(text: string, word: string): number {
  const code = text.replace(/"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*/g, "");
  return [...code.matchAll(new RegExp(`(?<![\\w.])${word}\\s*\\(`, "g"))].length;
}

function contents({ kind, text }: OperatorFile): string {
  if (kind === "Authority key") return text.trim();
  if (kind === "CA certificate") return plural(text.split("-----BEGIN ").length - 1, "certificate");
  if (kind === "mapping" || kind === "system call policy") {
    return plural([...text.matchAll(/^\s*\[\[\s*rules\s*\]\]/gm)].length, "rule");
  }
  return `${countStatements(text, "permit")} permit, ${countStatements(text, "forbid")} forbid`;
}

/**
 * Says, one line each, what a configuration would bring into force, for a
 * person who has to decide whether to trust it. The text is not escaped.
 */
export function describeConfig(config: FirmaConfig, files: readonly OperatorFile[]): string[] {
  const { authority, connector, interceptor, mapping, audit } = config.sidecar;
  const lines = files.map((file) => `${file.kind} ${file.name}: ${contents(file)}`);
  if (authority.remote !== undefined) {
    const { urls, connectAddr } = authority.remote;
    const reached = connectAddr ? `, reached at ${connectAddr.hostname}:${connectAddr.port}` : "";
    lines.unshift(`policies and tokens of the Authority at ${urls.join(", ")}${reached}`);
  }
  for (const { name, parent, risk } of config.actionClasses) {
    lines.push(`action class ${name} within ${parent}, risk ${risk}`);
  }
  if (config.sidecar.mode === "monitor") lines.push("policies are observed and not enforced");
  if (interceptor.mode === "http_proxy") {
    const { hostname, port } = interceptor.listenAddr;
    lines.push(`a proxy listens on ${hostname} port ${port}, for whoever has a password`);
  }
  if (!mapping.defaultProtected) {
    lines.push("calls to hosts that no rule names are let through undecided");
  }
  for (const { host, connectAddr, caCertPath } of connector.hosts) {
    const to = connectAddr ? ` is reached at ${connectAddr.hostname}:${connectAddr.port}` : "";
    lines.push(`host ${host}${to}${caCertPath ? `, trusting ${caCertPath}` : ""}`);
  }
  for (const { label, hosts, source } of config.sidecar.credentials) {
    const to = hosts.map(({ host, port }) => port === 443 ? host : `${host}:${port}`).join(", ");
    const { run } = reachOf({ source });
    lines.push(`credential ${label} from ${source.kind} goes to ${to}`);
    if (run.length > 0) {
      lines.push(`credential ${label} runs ${run.join(", ")}, outside of any sandbox`);
    }
  }
  const { bypassHosts } = interceptor.httpsMitm;
  if (bypassHosts.length > 0) lines.push(`not inspected: ${bypassHosts.join(", ")}`);
  if (config.run.envPassthrough.length > 0) {
    lines.push(`variables handed to the agent: ${config.run.envPassthrough.join(", ")}`);
  }
  if (config.run.limits.processes! > USUAL_PROCESSES) {
    lines.push(`up to ${config.run.limits.processes} processes of an agent`);
  }
  for (const [id, profile] of Object.entries(config.run.profiles)) {
    if ((profile.limits.processes ?? 0) > USUAL_PROCESSES) {
      lines.push(`up to ${profile.limits.processes} processes of an agent of profile ${id}`);
    }
    const told = (words: readonly string[]) => words.join(", ");
    const { commands, envPassthrough, homeWrite, homeRead, governed } = profile;
    if (commands.length > 0) lines.push(`profile ${id} is chosen for: ${told(commands)}`);
    if (envPassthrough.length > 0) {
      lines.push(`variables handed to agents of profile ${id}: ${told(envPassthrough)}`);
    }
    if (homeWrite.length > 0) lines.push(`written in your home by ${id}: ${told(homeWrite)}`);
    if (homeRead.length > 0) lines.push(`read in your home by ${id}: ${told(homeRead)}`);
    if (governed !== undefined) {
      lines.push(`programs of ${id} that are decided, and no others: ${told(governed) || "none"}`);
    }
  }
  lines.push(`audit log: ${audit.filePath}`);
  return lines;
}
