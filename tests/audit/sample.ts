import { chainEvents, GENESIS } from "../../src/audit/chain.ts";
import { checkpointPath, formatCheckpoint, type TreeHead } from "../../src/audit/checkpoint.ts";
import { Accumulator } from "../../src/audit/merkle/accumulator.ts";
import type { DecisionEvent, ExecutionEvent, OutcomeEvent } from "../../src/core/event.ts";
import { unwrap } from "../../src/core/result.ts";
import { loadOrCreateSigningKey, type SigningKey } from "../../src/pki/signing_key.ts";

/** Runs `body` with a directory of its own, which is gone afterwards. */
export async function inTempDir(body: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "firma-audit-" });
  try {
    await body(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A key of its own in `dir`. */
export async function sampleKey(dir: string, name = "audit.key"): Promise<SigningKey> {
  return unwrap(await loadOrCreateSigningKey(`${dir}/keys/${name}`));
}

const BASE = {
  timestamp: "2025-01-31T12:00:00.000000Z",
  sandbox_id: "sbx_01jd0000000000000000000000",
  session_id: "ses_01jd0000000000000000000000",
  agent_id: "agt_01jd0000000000000000000000",
};

/** A decision as the pipeline writes it. */
export function sampleDecision(changes: Partial<DecisionEvent> = {}): DecisionEvent {
  return {
    ...BASE,
    kind: "decision",
    event_id: "aevt_01jd0000000000000000000000",
    decision: "ALLOW",
    deny_reason: "",
    detail: "",
    action_class: "code.read",
    resource: "api.github.invalid/repos/firma/firma",
    method: "GET",
    token_id: "ctok_01jd0000000000000000000000",
    bundle_version: "0123456789abcdef",
    policy_ids: ["dev.cedar#1"],
    latency_us: 31,
    ...changes,
  };
}

/** The outcome of a {@linkcode sampleDecision}. */
export function sampleOutcome(changes: Partial<OutcomeEvent> = {}): OutcomeEvent {
  return {
    ...BASE,
    kind: "outcome",
    event_id: "aevt_01jd0000000000000000000001",
    decision_event_id: "aevt_01jd0000000000000000000000",
    status: 200,
    abort_reason: "",
    detail: "",
    request_bytes: 0,
    response_bytes: 4711,
    head_latency_us: 20_000,
    latency_us: 40_000,
    ...changes,
  };
}

/** A decision that can be told from others by its number. */
export function numberedDecision(number: number, writer = "w"): DecisionEvent {
  return sampleDecision({ event_id: `aevt_${writer}_${number}` });
}

/** The chained lines of `events`, each with its newline, and what a checkpoint says of them. */
export function chainLines(
  events: readonly ExecutionEvent[],
  key: SigningKey,
): { readonly lines: string[]; readonly head: TreeHead } {
  const { bytes, leaves } = chainEvents(events, GENESIS, key.privateKey);
  const lines = new TextDecoder().decode(bytes).split(/(?<=\n)/);
  const tree = new Accumulator();
  for (const leaf of leaves) tree.append(leaf);
  return { lines, head: { size: tree.leaves, root: tree.root() } };
}

/** Writes lines as a log, with a checkpoint for `head` where it is given. */
export async function writeLog(
  path: string,
  lines: readonly string[],
  checkpoint?: { readonly head: TreeHead; readonly key: SigningKey },
): Promise<void> {
  await Deno.writeTextFile(path, lines.join(""));
  if (checkpoint) {
    await Deno.writeTextFile(
      checkpointPath(path),
      formatCheckpoint(checkpoint.head, checkpoint.key),
    );
  }
}

/** The events in a log. */
export async function readEvents(
  path: string,
): Promise<(ExecutionEvent & { seq: number; prev: string })[]> {
  const text = await Deno.readTextFile(path);
  return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}
