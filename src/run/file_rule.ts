import type { OperatorFile } from "../config/operator_files.ts";
import type { FirmaConfig } from "../config/schema.ts";
import { type ActionClass, setOperatorClasses } from "../core/action_class.ts";
import type { ExecutionEnvelope } from "../core/envelope.ts";
import { basename } from "../core/path.ts";
import { type FirmaError, ok, type Result } from "../core/result.ts";
import { FILE_CLASSES, type FileForbid, fileForbids } from "../policy/file_forbids.ts";
import type { FileAccess, FileRule } from "../sandbox/file_rule.ts";

/** Whose sandbox it is. */
export interface FileRuleOptions {
  readonly config: FirmaConfig;
  /** Of the configuration, as they were read. */
  readonly files: readonly OperatorFile[];
  /** Absent: only the Authority knows. */
  readonly agentId: string | undefined;
}

/**
 * What the policies of the project forbid of files, as a rule for the sandbox; `undefined`: none
 * of them says anything of files, and Cedar is not loaded. Policies of an Authority elsewhere are
 * not known here.
 */
export async function fileRuleOf(
  { config, files, agentId }: FileRuleOptions,
): Promise<Result<FileRule | undefined, readonly FirmaError[]>> {
  const policies = files.filter(({ kind }) => kind === "policy")
    .map(({ path, text }) => ({ file: basename(path), text }));
  const forbids = fileForbids(policies);
  if (forbids.length === 0) return ok(undefined);
  const [{ cedarModule, initCedar }, { PolicyEngine }, { schemaText }] = await Promise.all([
    import("../policy/cedar_module.ts"),
    import("../policy/engine.ts"),
    import("../policy/schema.ts"),
  ]);
  initCedar(await cedarModule());
  setOperatorClasses(config.actionClasses);
  const engine = PolicyEngine.create({
    revision: 1,
    version: "",
    // What the others say changes nothing about these.
    policies: policies.filter((policy) => forbids.some(({ file }) => file === policy.file)),
    schema: schemaText(),
    ttlSeconds: 30,
  }, { memoCapacity: 0 });
  if (!engine.ok) return engine;
  return ok((access, path) => {
    const envelope = fileEnvelope(access, path, agentId ?? "");
    const { reason, errors, policyIds } = engine.value.decide(envelope);
    // A policy that could not be asked about a file may have forbidden it.
    if (reason === "FailClosed") return policyIds.length > 0 ? policyIds : errors;
    const isFileForbid = (place: { readonly file: string; readonly start: number }) =>
      forbids.some(({ file, start }) => file === place.file && start === place.start);
    const applied = engine.value.votes(envelope)
      .filter((vote) => vote.effect === "forbid" && isFileForbid(vote)).map(({ id }) => id);
    return agentId === undefined ? [...applied, ...forbids.flatMap(unknowable)] : applied;
  });
}

/** Of a policy for particular agents nobody can say whether it is about this one. */
function unknowable({ file, namesPrincipal }: FileForbid): string[] {
  return namesPrincipal ? [`${file}, which names an agent`] : [];
}

/** What policies see of a file or directory that a sandbox is about to show. */
function fileEnvelope(access: FileAccess, path: string, agentId: string): ExecutionEnvelope {
  const now = Date.now();
  return {
    capability: { agent_id: agentId, token_id: "" },
    intent: {
      action_class: FILE_CLASSES[access] as ActionClass,
      attributes: {},
      raw_action_ref: "",
      raw_transport: "mount",
      resource: { host: "", id: `file://${path}`, method: access.toUpperCase(), path },
    },
    metadata: {
      action_count: 0,
      deny_count: 0,
      last_resource: "",
      prior_action_classes: [],
      session_id: "",
      session_started_ms: now,
      timestamp_ms: now,
    },
    provenance: { via: "exec" },
  };
}
