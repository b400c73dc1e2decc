import { err, ok, type Result } from "../../core/result.ts";
import { checkHostPattern } from "../keys/host_pattern.ts";
import { parseToml } from "../toml.ts";
import { tomlValue } from "../toml_value.ts";

const HEAD =
  `# Hosts that no pack covers: whatever is sent to them counts as sending something to the outside.
# "firma config --extra-hosts" adds to this file; make the rules finer as you need them:
# "firma policy list --classes" lists the action classes.
`;

/** Checks the name of a host, or a pattern such as `*.example.com`. */
export function checkExtraHost(name: string): Result<string> {
  const checked = checkHostPattern(name.trim());
  if ("value" in checked) return ok(checked.value);
  return err({
    code: "HOST_INVALID",
    message: `Cannot add a host: ${checked.state}`,
    cure: "write names alone, with commas between them: no scheme, port or path",
  });
}

/** The text of a file of rules in which each host has one; rules that are there stay as they are. */
export function withExtraHosts(
  before: string | undefined,
  hosts: readonly string[],
): Result<string> {
  let text = before ?? HEAD;
  const known = new Set(before === undefined ? [] : knownHosts(before));
  for (const name of hosts) {
    const host = checkExtraHost(name);
    if (!host.ok) return host;
    if (known.has(host.value)) continue;
    known.add(host.value);
    text += `${text.endsWith("\n") ? "" : "\n"}
[[rules]]
host = ${tomlValue(host.value)}
action_class = "communication.external.send"
`;
  }
  return ok(text);
}

function knownHosts(text: string): string[] {
  const document = parseToml(text, "");
  const rules = document.ok ? document.value.root["rules"] : undefined;
  if (!Array.isArray(rules)) return [];
  return rules.flatMap(({ host }) => host).filter((host) => typeof host === "string");
}
