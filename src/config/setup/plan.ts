/** What `firma config` would change, from what is there and what was answered; writes nothing. */
import { join } from "../../core/path.ts";
import { newId } from "../../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { CONFIG_FILE } from "../discover.ts";
import { OF_REMOTE } from "../keys/sidecar_authority.ts";
import { type PackKind, packNames, readPack, readPolicyFile } from "../packs.ts";
import { checkKeys } from "../schema.ts";
import { type KeyPath, removeKey, setKey } from "../toml_edit.ts";
import type { Answers, Given } from "./answers.ts";
import { configText } from "./config_text.ts";
import { withExtraHosts } from "./extra_hosts.ts";
import {
  EXTRA_RULES,
  packOf,
  type Project,
  rulesKey,
  SIDECAR_RULES,
  written,
  writtenRules,
} from "./project.ts";

/** A change of one file. */
export interface FileChange {
  /** Relative to the directory of the configuration. */
  readonly path: string;
  /** Absent: there is no such file yet. */
  readonly before: string | undefined;
  /** Absent: the file is removed. */
  readonly after: string | undefined;
  /** What ships with firma and is written as it is, such as `posture dev`. */
  readonly pack: string | undefined;
}

/** What would be done. */
export interface SetupPlan {
  readonly changes: readonly FileChange[];
  /** What was left as it is although it is not what firma would write. */
  readonly kept: readonly string[];
}

interface Draft {
  readonly project: Project;
  readonly answers: Answers;
  readonly given: Given;
  readonly force: boolean;
  readonly tlsDir: string | undefined;
  readonly changes: FileChange[];
  readonly kept: string[];
}

/** Keys that say which Authority an agent is under, with their answers. */
const REMOTE_KEYS = [
  ["url", "authorityUrl"],
  ["public_key_path", "authorityPubKey"],
  ["ca_cert_path", "authorityCaCert"],
  ["tls_client_cert_path", "authorityClientCert"],
  ["tls_client_key_path", "authorityClientKey"],
] as const;

/** Keys of an Authority that listens on the network, with the files that they name. */
const TLS_KEYS = [
  ["tls_cert_path", "server.crt"],
  ["tls_key_path", "server.key"],
  ["mtls_client_ca_cert_path", "ca.crt"],
  ["mtls_client_ca_key_path", "ca.key"],
  ["authorized_clients_path", "authorized-clients.toml"],
] as const;

/** Options of {@linkcode planSetup}. */
export interface PlanOptions {
  /** Whether files that have edits are written anew. */
  readonly force: boolean;
  /** Where an Authority has what mutual TLS needs; absent where it needs none. */
  readonly tlsDir: string | undefined;
}

/** Works out what to change. */
export function planSetup(
  project: Project,
  answers: Answers,
  given: Given,
  { force, tlsDir }: PlanOptions,
): Result<SetupPlan, readonly FirmaError[]> {
  const draft: Draft = { project, answers, given, force, tlsDir, changes: [], kept: [] };
  const results = [
    ...(answers.mode === "agent-remote" ? [] : [planPosture(draft), planIssuance(draft)]),
    planMappings(draft),
    planExtraHosts(draft),
  ];
  const errors = results.flatMap((result) => result.ok ? [] : [result.error]);
  if (errors.length > 0) return err(errors);
  const text = project.existing === undefined ? ok(newText(draft)) : editedText(draft);
  if (!text.ok) return err([text.error]);
  const checked = checkKeys(text.value, join(project.directory, CONFIG_FILE));
  if (!checked.ok) return checked;
  change(draft, CONFIG_FILE, text.value, undefined, project.existing?.file.text);
  return ok({ changes: draft.changes, kept: draft.kept });
}

function change(
  { project, changes }: Draft,
  path: string,
  after: string | undefined,
  pack: string | undefined,
  before = project.files.get(path),
): void {
  if (before !== after) changes.push({ path, before, after, pack });
}

/** A file that ships with firma: written where there is none, and kept where it has edits. */
function planPack(draft: Draft, path: string, kind: PackKind, name: string): Result<void> {
  const pack = readPack(kind, name);
  if (!pack.ok) return pack;
  const there = draft.project.files.get(path);
  if (there !== undefined && there !== pack.value && !draft.force) draft.kept.push(path);
  else change(draft, path, pack.value, `${kind} ${name}`);
  return ok(undefined);
}

function planPosture(draft: Draft): Result<void> {
  const { project: { policyDir, files }, answers: { posture }, given, force } = draft;
  if (posture === undefined) return ok(undefined);
  if (policyDir === undefined) {
    if (!given.has("posture")) return ok(undefined);
    return err({
      code: "POLICIES_ELSEWHERE",
      message: `Cannot set the posture to "${posture}": policy_dir leads out of the configuration`,
      cure: `firma policy show ${posture} --source prints the policies to put there`,
    });
  }
  const path = (name: string) => join(policyDir, `${name}.cedar`);
  const planned = planPack(draft, path(posture), "posture", posture);
  if (!planned.ok || !given.has("posture")) return planned;
  for (const other of packNames("posture").filter((name) => name !== posture)) {
    const text = files.get(path(other));
    if (text === undefined) continue;
    const pack = readPack("posture", other);
    if (!force && !(pack.ok && pack.value === text)) {
      return err({
        code: "POSTURE_EDITED",
        message: `Cannot change the posture to "${posture}": "${path(other)}" has edits`,
        cure: "keep them in a file of another name, then give --force, which removes this one",
      });
    }
    change(draft, path(other), undefined, `posture ${other}`);
  }
  return ok(undefined);
}

function planIssuance(draft: Draft): Result<void> {
  const { issuancePolicyDir: directory, files } = draft.project;
  if (directory === undefined) return ok(undefined);
  if ([...files.keys()].some((path) => path.startsWith(`${directory}/`))) return ok(undefined);
  const text = readPolicyFile("issuance.cedar");
  change(draft, join(directory, "issuance.cedar"), text, "issuance policy");
  return ok(undefined);
}

function planMappings(draft: Draft): Result<void> {
  const { answers: { mappings }, given, project } = draft;
  if (project.existing !== undefined && !given.has("mappings")) return ok(undefined);
  for (const name of new Set(mappings)) {
    const planned = planPack(draft, `mappings/${name}.toml`, "mapping", name);
    if (!planned.ok) return planned;
  }
  return ok(undefined);
}

function planExtraHosts(draft: Draft): Result<void> {
  const { answers: { extraHosts }, project } = draft;
  if (extraHosts.length === 0) return ok(undefined);
  const before = project.files.get(EXTRA_RULES);
  const after = withExtraHosts(before, extraHosts);
  if (!after.ok) return after;
  change(draft, EXTRA_RULES, after.value, undefined);
  return ok(undefined);
}

function rulesPaths({ answers: { mappings, extraHosts } }: Draft): string[] {
  const packs = [...new Set(mappings)].map((name) => `mappings/${name}.toml`);
  return extraHosts.length > 0 ? [...packs, EXTRA_RULES] : packs;
}

function newText(draft: Draft): string {
  const { mode, profile, agentId, authorityListen } = draft.answers;
  const more = mode === "agent-remote"
    ? REMOTE_KEYS.flatMap(([key, answer]) => {
      const value = draft.answers[answer];
      return value === undefined ? [] : [[key, value] as const];
    })
    : mode === "authority" && authorityListen !== undefined
    ? [["listen_addr", authorityListen] as const, ...tlsPairs(draft)]
    : [];
  return configText({
    mode,
    profile,
    agentId: mode === "authority" ? undefined : agentId ?? newId("agt"),
    rulesPaths: rulesPaths(draft),
    more,
  });
}

function tlsPairs({ tlsDir }: Draft): (readonly [string, string])[] {
  return tlsDir === undefined ? [] : TLS_KEYS.map(([key, file]) => [key, join(tlsDir, file)]);
}

/** The text that is there, with what was given in place of what it said. */
function editedText(draft: Draft): Result<string> {
  const { project, answers, given, force } = draft;
  const { root, file } = project.existing!;
  let text: Result<string> = ok(file.text);
  const set = (path: KeyPath, value: string | readonly string[]) => {
    if (text.ok) text = setKey(text.value, path, value);
  };
  const remove = (path: KeyPath) => {
    if (text.ok) text = removeKey(text.value, path);
  };
  const wasRemote = project.existing!.config.sidecar.authority.remote !== undefined;
  if (given.has("profile") && answers.profile) set(["run", "profile"], answers.profile);
  const needsAgent = answers.mode !== "authority" &&
    !project.existing!.config.sidecar.authority.agentId;
  if (given.has("agentId") || needsAgent) {
    set(["sidecar", "authority", "agent_id"], answers.agentId ?? newId("agt"));
  }
  if (answers.mode === "agent-remote") {
    for (const [key, answer] of REMOTE_KEYS) {
      const value = answers[answer];
      if (value !== undefined && (given.has(answer) || !wasRemote)) {
        set(["sidecar", "authority", key], value);
      }
    }
    if (force && !wasRemote && Object.hasOwn(root, "authority")) remove(["authority"]);
  } else if (answers.mode === "agent-local" && wasRemote) {
    for (const key of ["url", ...OF_REMOTE]) remove(["sidecar", "authority", key]);
  } else if (answers.mode === "authority" && answers.authorityListen !== undefined) {
    if (given.has("authorityListen")) set(["authority", "listen_addr"], answers.authorityListen);
    for (const [key, path] of tlsPairs(draft)) {
      if (written(root, ["authority", key]) === undefined) set(["authority", key], path);
    }
  }
  const place = answers.mode === "authority" ? rulesKey(root) : SIDECAR_RULES;
  const there = writtenRules(root, place);
  // What an Authority's policies were written for is what an agent beside it needs.
  const rules = editedRules(draft, there.length > 0 ? there : writtenRules(root, rulesKey(root)));
  if (rules.join("\n") !== there.join("\n")) set(place, rules);
  return text;
}

/** Paths that are the operator's own stay where they are. */
function editedRules(draft: Draft, before: readonly string[]): string[] {
  const wanted = rulesPaths(draft);
  const kept = draft.given.has("mappings")
    ? before.filter((path) =>
      packOf(path) === undefined || wanted.includes(path.replace(/^\.\//, ""))
    )
    : before;
  const added = draft.given.has("mappings")
    ? wanted
    : wanted.filter((path) => path === EXTRA_RULES);
  const known = kept.map((path) => path.replace(/^\.\//, ""));
  return [...kept, ...added.filter((path) => !known.includes(path))];
}
