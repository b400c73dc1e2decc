import { actionClassLineage } from "../../core/action_class.ts";
import { selectToken } from "../../capability/select.ts";
import type { CommandFile } from "../../commands/rule_file.ts";
import type { ExecutionEnvelope } from "../../core/envelope.ts";
import type { Execution } from "../../core/local_exec.ts";
import type { Remedy } from "../../policy/outcome.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { judge } from "../pipeline/policy.ts";
import { unready } from "../pipeline/readiness.ts";
import type { Standing } from "../pipeline/standing.ts";
import { STUB_REF } from "../stores/stub_ref.ts";
import { withStoreCure } from "../stores/store_cure.ts";
import { type Classified, execEnvelope } from "./envelope.ts";

/** What the operator configured for executions. */
export interface ExecConfig {
  /** Rules besides those that firma brings, known to be valid. */
  readonly commands: readonly CommandFile[];
  /** Whether programs that no rule names are decided by policy, or denied. */
  readonly defaultAction: "allow" | "deny";
  /** The only files that may be executed; `*` stands for any characters. Absent: any. */
  readonly allowedExecutables?: readonly string[] | undefined;
}

/** What holds where the operator says nothing. */
export const DEFAULT_EXEC_CONFIG: ExecConfig = { commands: [], defaultAction: "allow" };

/** What deciding needs to know of the moment. */
export interface ExecSurroundings {
  readonly standing: Standing;
  readonly config: ExecConfig;
  readonly clockSkewMs?: number | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What was decided about an execution. */
export interface ExecVerdict {
  readonly denial: Denial | undefined;
  readonly tokenId: string;
  readonly policyIds: readonly string[];
  readonly envelope?: ExecutionEnvelope;
  /** What would lift the denial. */
  readonly remedy?: Remedy | undefined;
}

/** Decides an execution by token and policies: every thing that it does must be permitted. */
export function decideExecution(
  surroundings: ExecSurroundings,
  session: SessionView,
  execution: Execution,
  classified: Classified,
): ExecVerdict {
  const admitted = admit(surroundings, session, classified);
  if (admitted.denial !== undefined) return { ...admitted, policyIds: [] };
  const { tokenId } = admitted;
  const { standing, now, config } = surroundings;
  const envelope = execEnvelope({ execution, classified, session, tokenId, nowMs: now() });
  const unknown = notKnown(config, execution, classified);
  if (unknown !== undefined) return { tokenId, envelope, policyIds: [], denial: unknown };
  const { denial, policyIds, remedy } = judge(standing.bundle?.engine, envelope);
  // There is no other form of an execution that could be let through in its place.
  const changed = denial ?? (remedy && UNCHANGEABLE);
  const told = changed && withStoreCure(changed, execution, classified);
  return { tokenId, envelope, policyIds, denial: told, remedy };
}

/** Said where policy lets an execution go on in another form alone. */
export const UNCHANGEABLE: Denial = {
  reason: "PolicyDenied",
  detail: "policy wants it changed, which an execution cannot be",
};

/** Whether the session may have anything executed of these classes, whatever policies say. */
export function admit(
  { standing, clockSkewMs, now }: ExecSurroundings,
  session: SessionView,
  { operations }: Pick<Classified, "operations">,
): { readonly denial: Denial | undefined; readonly tokenId: string } {
  const nowMs = now();
  const denial = unready(standing, session, nowMs);
  if (denial !== undefined) return { denial, tokenId: "" };
  const { revoked = new Set() } = standing;
  const demand = { host: undefined, path: "", nowMs, revoked, clockSkewMs };
  let { claims } = session;
  let tokenId = "";
  for (const { action_class } of operations) {
    const actionLineage = actionClassLineage(action_class);
    const selected = selectToken(claims, { ...demand, actionLineage });
    if (!selected.ok) {
      const detail = "no capability token covers the execution";
      return { denial: { reason: selected.error, detail }, tokenId: "" };
    }
    tokenId = selected.value.token_id;
    // Whatever else it does, one and the same token must cover it.
    claims = claims.filter((token) => selectToken([token], { ...demand, actionLineage }).ok);
  }
  return { denial: undefined, tokenId };
}

function notKnown(
  { defaultAction, allowedExecutables }: ExecConfig,
  { file, interpreter }: Execution,
  { ref }: Classified,
): Denial | undefined {
  // Firma's own, whatever name it goes by; what it asks for is decided when it asks.
  if (ref === STUB_REF) return;
  if (allowedExecutables !== undefined) {
    const files = interpreter === undefined ? [file] : [file, interpreter.file];
    const stranger = files.find((each) => !allowedExecutables.some((one) => covers(one, each)));
    if (stranger !== undefined) {
      return { reason: "PolicyDenied", detail: `"${stranger}" is not in allowed_executables` };
    }
  }
  if (ref !== "" || defaultAction === "allow") return;
  return {
    reason: "PolicyDenied",
    detail: 'no rule names the program, and default_action is "deny"',
  };
}

function covers(pattern: string, file: string): boolean {
  const [begin = "", ...parts] = pattern.split("*");
  if (parts.length === 0) return pattern === file;
  const end = parts.pop()!;
  if (!file.startsWith(begin) || file.length < begin.length + end.length) return false;
  if (!file.endsWith(end)) return false;
  let at = begin.length;
  for (const part of parts) {
    const found = file.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= file.length - end.length;
}
