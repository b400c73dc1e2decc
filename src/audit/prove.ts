import { err, ok, type Result } from "../core/result.ts";
import { parseCheckpoint } from "./checkpoint.ts";
import { type Base, baseOf, NOTHING_BEFORE } from "./base.ts";
import { linesOfParts, snapshotLog } from "./log_parts.ts";
import { Accumulator } from "./merkle/accumulator.ts";
import { type Hash, leafHash, sameHash } from "./merkle/hash.ts";
import { inclusionPath, peakPositions, storedHashes } from "./merkle/stored.ts";
import { verifyInclusion } from "./merkle/verify.ts";
import { formatTlogProof, parseTlogProof } from "./tlog_proof.ts";
import { parseLine } from "./verify_line.ts";
import { verifySignature } from "./verify_signature.ts";

/** A line that is proved to be in a log. */
export interface ProvedEvent {
  /** The line without its newline. */
  readonly line: string;
  /** Its number, from 1. */
  readonly seq: number;
  /** How many lines the log had when it vouched for this one, and under which name. */
  readonly size: number;
  readonly origin: string;
}

type Members = Readonly<Record<string, unknown>>;

/** What stands in the way of a proof. */
function refuse({ code, state, cure }: { code: string; state: string; cure?: string }) {
  return err({ code, message: `Cannot prove the event: ${state}`, ...(cure && { cure }) });
}

/**
 * Proves that an event is in the log at `path`: a C2SP tlog-proof with the event's line in `extra`.
 * `event` is its number or its id. Lines in closed files count. Throws what the file system throws.
 */
export async function proveEvent(
  path: string,
  event: string,
  publicKeys: readonly Uint8Array[],
): Promise<Result<string>> {
  const snapshot = await snapshotLog(path);
  if (!snapshot.ok) return snapshot;
  const { note, parts } = snapshot.value;
  if (note === undefined) {
    return refuse({ code: "NO_CHECKPOINT", state: `there is no checkpoint beside "${path}"` });
  }
  const checkpoint = parseCheckpoint(note, publicKeys);
  if (!checkpoint.ok) return checkpoint;
  const { size, root } = checkpoint.value;
  let tree = new Accumulator();
  const stored = new Map<number, Hash>();
  let found: { readonly index: number; readonly line: Uint8Array } | undefined;
  let isFirst = true;
  for await (const { bytes, terminated } of linesOfParts(parts)) {
    if (!terminated || tree.leaves === size) break;
    const base = isFirst ? baseOfLine(bytes) : NOTHING_BEFORE;
    isFirst = false;
    if (base.seq > 0) {
      tree = Accumulator.resume(base.seq, base.peaks);
      peakPositions(base.seq).forEach(({ position }, index) =>
        stored.set(position, base.peaks[index]!)
      );
    }
    if (found === undefined && isEvent(bytes, event, tree.leaves + 1)) {
      found = { index: tree.leaves, line: bytes.slice() };
    }
    const position = storedHashes(tree.leaves);
    tree.append(leafHash(bytes)).forEach((hash, index) => stored.set(position + index, hash));
  }
  if (tree.leaves < size || !sameHash(tree.root(), root)) {
    return refuse({
      code: "AUDIT_LOG_DAMAGED",
      state: `"${path}" is not the log that its checkpoint vouches for`,
      cure: `firma audit verify ${path}`,
    });
  }
  if (found === undefined) {
    return refuse({
      code: "NO_SUCH_EVENT",
      state: `none of the ${size} lines that the checkpoint vouches for is "${event}"`,
      cure: "name it by its number or its event_id; a running Sidecar vouches every five seconds",
    });
  }
  const { index, line } = found;
  return ok(formatTlogProof({
    index,
    path: inclusionPath(index, size, (position) => stored.get(position)!),
    checkpoint: note,
    extra: line,
  }));
}

/** Checks a proof by itself: of everything else, only the public key of the log is needed. */
export function checkProof(text: string, publicKeys: readonly Uint8Array[]): Result<ProvedEvent> {
  const invalid = (state: string) =>
    err({ code: "PROOF_INVALID", message: `Cannot accept the proof: ${state}` });
  const proof = parseTlogProof(text);
  if (!proof.ok) return proof;
  const { index, path, extra } = proof.value;
  if (extra === undefined) return invalid("it does not hold its event");
  const checkpoint = parseCheckpoint(proof.value.checkpoint, publicKeys);
  if (!checkpoint.ok) return checkpoint;
  const { origin, size, root } = checkpoint.value;
  if (!verifyInclusion(leafHash(extra), index, size, path, root)) {
    return invalid("its event is not in the log at this place");
  }
  const line = parseLine(extra);
  if (!line.ok) return invalid(line.error.reason);
  const { seq, signed, signature } = line.value;
  if (seq !== index + 1) return invalid(`its event says that it is number ${seq}`);
  if (!publicKeys.some((key) => verifySignature(key, signed, signature))) {
    return invalid("no known key signed its event");
  }
  return ok({ line: new TextDecoder().decode(extra), seq, size, origin });
}

/** What came before the first line that is there. */
function baseOfLine(bytes: Uint8Array): Base {
  const line = parseLine(bytes);
  return (line.ok ? baseOf(line.value.members) : undefined) ?? NOTHING_BEFORE;
}

function isEvent(line: Uint8Array, event: string, number: number): boolean {
  if (/^\d+$/.test(event)) return Number(event) === number;
  const text = new TextDecoder().decode(line);
  return text.includes(`"${event}"`) && (JSON.parse(text) as Members).event_id === event;
}
