import { SCHEMA_URL } from "../schema_url.ts";
import { tomlValue } from "../toml_value.ts";
import type { Answers } from "./answers.ts";

/** What the text of a new `firma.toml` says. */
export type ConfigTextPlan =
  & Pick<Answers, "mode" | "profile">
  & {
    /** Absent in the file of an Authority alone. */
    readonly agentId: string | undefined;
    /** Paths of mappings. */
    readonly rulesPaths: readonly string[];
    /** Keys of `[authority]` or `[sidecar.authority]` beside those that every such file has. */
    readonly more: readonly (readonly [name: string, value: string])[];
  };

const AGENT_HEAD =
  `# What the agents in this project may do. Every key has a default; this file names the ones
# that people change. Edits of this file need "firma trust", unless "firma config" makes them;
# edits of policies and mappings hold at once.
`;

const AUTHORITY_HEAD =
  `# An Authority: it hands out policies and tokens to the Sidecars that it lists. Edits of this file
# need "firma trust", unless "firma config" makes them; edits of policies hold at once.
`;

const COLUMN = 44;

function line(code: string, comment: string): string {
  return `${code.padEnd(COLUMN)}# ${comment}\n`;
}

function list(name: string, values: readonly string[], comment: string): string {
  const members = values.map((value) => `  ${tomlValue(value)},\n`).join("");
  return `${line(`${name} = [`, comment)}${members}]\n`;
}

/** The text of a new `firma.toml`: short, with comments. */
export function configText({ mode, profile, agentId, rulesPaths, more }: ConfigTextPlan): string {
  const further = more.map(([name, value]) => `${name} = ${tomlValue(value)}\n`).join("");
  const policies = line('policy_dir = "policies/"', "Cedar policies that decide each call") +
    line('issuance_policy_dir = "issuance-policies/"', "what an agent may ask for at all");
  const about = mode === "authority" ? AUTHORITY_HEAD : AGENT_HEAD;
  const head = `#:schema ${SCHEMA_URL}\n${about}`;
  if (mode === "authority") {
    const rules = list("mapping_rules_paths", rulesPaths, "what the policies are written for");
    return `${head}\n[authority]\n${further}${policies}${rules}`;
  }
  return [
    head,
    ...(mode === "agent-local" ? [`[authority]\n${policies}`] : []),
    `[sidecar.authority]\nagent_id = ${tomlValue(agentId ?? "")}\n${further}`,
    "[sidecar.mapping]\n" + list("rules_paths", rulesPaths, "which call is which action") +
    line("default_protected = true", "a call that no rule names is denied"),
    `[run]\n${profile ? `profile = ${tomlValue(profile)}` : '# profile = "generic"'}\n` +
    line("env_passthrough = []", "further variables that the agent sees"),
  ].join("\n");
}
