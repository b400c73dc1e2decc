import { GENESIS, lineHash } from "../../audit/chain.ts";
import { KnownKeys } from "../../audit/known_keys.ts";
import { leafHash, sameHash } from "../../audit/merkle/hash.ts";
import { parseLine } from "../../audit/verify_line.ts";
import { verifySignature } from "../../audit/verify_signature.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type {
  Branch,
  CheckedLine,
  Collection,
  Incident,
  LogChange,
  LogName,
} from "./collection.ts";

/** Branches of one log at most: a Sidecar that was broken into must not fill the disk with them. */
const MOST_BRANCHES = 64;
/** Lines that are verified before others get their turn: about 5 ms. */
const TURN = 64;

/** Why something is not taken. */
export interface CollectFault {
  readonly kind: "not yours" | "forged" | "too many forks";
  readonly reason: string;
}

/** What is kept of a log now. */
export interface Kept {
  /** Of the last line; 0 for none. */
  readonly seq: number;
  /** SHA-256 of that line, hex; `""` for none. */
  readonly hash: string;
}

/** A log, and who ships it. */
export interface ShippedLog {
  readonly sidecar: string;
  /** The key that signed it first: raw Ed25519, 32 bytes. */
  readonly key: Uint8Array;
}

/**
 * Takes the logs of many Sidecars in. Every line is verified before it is kept: its signature, and
 * that it follows the line before. Nothing that is kept is ever changed; a Sidecar that sends other
 * lines in its place, leaves some out or has fewer than it sent is told to the operator.
 */
export class Collector {
  readonly collection: Collection;
  readonly #report: (text: string) => void;

  constructor(collection: Collection, report: (text: string) => void) {
    this.collection = collection;
    this.#report = report;
  }

  /** Where to go on with a log that ends with line `lastSeq` at its Sidecar. */
  async resume(log: ShippedLog, lastSeq: number): Promise<Result<Kept, CollectFault>> {
    return await this.change(log, false, async (change, name) => {
      const { branch } = change;
      if (branch !== undefined && lastSeq < branch.last) {
        await this.tell(name, change, {
          kind: "truncated",
          seq: lastSeq + 1,
          detail: `it ends with line ${lastSeq} now, and it was shipped up to line ${branch.last}`,
        });
      }
      return ok(keptOf(change));
    });
  }

  /** Keeps the lines of a log that are new. What came before one that is not taken is kept. */
  async receive(
    log: ShippedLog,
    lines: readonly Uint8Array[],
  ): Promise<Result<Kept, CollectFault>> {
    // A log is that of a client which has shown a line of it.
    const isProven = lines[0] !== undefined && check(lines[0], new KnownKeys([log.key])).ok;
    return await this.change(log, isProven, async (change, name) => {
      const { inForce, all } = change.keys;
      const known = new KnownKeys(inForce.length > 0 ? inForce : [log.key]);
      const checked: CheckedLine[] = [];
      let forged: CollectFault | undefined;
      for (const [index, bytes] of lines.entries()) {
        if (index % TURN === TURN - 1) await new Promise((resolve) => setTimeout(resolve, 0));
        if (await isKept(change, bytes)) continue;
        const line = check(bytes, known);
        if (!line.ok) {
          forged = { kind: "forged", reason: line.error };
          break;
        }
        known.learn(line.value.members);
        checked.push(line.value);
      }
      const kept = await this.#keep(name, change, checked);
      if (checked.length > 0 && !sameKeys(known.inForce, inForce)) {
        await change.setKeys({ inForce: known.inForce, all: union(all, known.all) });
      }
      if (!kept.ok || forged === undefined) return kept;
      const seq = (change.branch?.last ?? 0) + 1;
      await this.tell(name, change, { kind: "forged", seq, detail: forged.reason });
      return err(forged);
    });
  }

  /** Has `work` change a log, if it is the client's; nobody's becomes so when `isProven`. */
  async change<T, E>(
    { sidecar, key }: ShippedLog,
    isProven: boolean,
    work: (change: LogChange, name: LogName) => Promise<Result<T, E>>,
  ): Promise<Result<T, E | CollectFault>> {
    const name = { sidecar, id: lineHash(key).slice(0, 16) };
    const owner = await this.collection.owner(name, isProven ? key : undefined);
    if (owner === undefined || owner === sidecar) {
      return await this.collection.change(name, (change) => work(change, name));
    }
    this.#report(
      `The client ${JSON.stringify(sidecar)} ships the audit log ${name.id}, which is that of ` +
        `${JSON.stringify(owner)}: refused`,
    );
    return err({ kind: "not yours", reason: "this log is another client's" });
  }

  /** Writes an incident down and tells the operator, unless that was just done. */
  async tell(name: LogName, change: LogChange, incident: Incident): Promise<void> {
    if (!await change.record(incident)) return;
    const { kind, seq, detail } = incident;
    this.#report(
      `The audit log ${name.id} of ${JSON.stringify(name.sidecar)} is not to be trusted from ` +
        `line ${seq} on (${kind}): ${detail}`,
    );
  }

  async #keep(
    name: LogName,
    change: LogChange,
    lines: readonly CheckedLine[],
  ): Promise<Result<Kept, CollectFault>> {
    for (let at = 0; at < lines.length;) {
      const { branch } = change;
      const line = lines[at]!;
      if (await isKept(change, line.bytes)) {
        at++;
        continue;
      }
      const fault = breakOf(branch, line);
      if (fault !== undefined) {
        if ((branch?.number ?? 0) >= MOST_BRANCHES) {
          const reason = `its log was forked ${MOST_BRANCHES} times`;
          return err({ kind: "too many forks", reason });
        }
        await this.tell(name, change, fault);
      }
      const end = endOfRun(lines, at);
      const run = lines.slice(at, end);
      await change.append(run, branch === undefined || fault !== undefined);
      for (const { seq, members } of run) {
        if (members.kind !== "key" || members.change !== "truncated") continue;
        const detail = `it says so itself: ${String(members.detail)}`;
        await this.tell(name, change, { kind: "truncated", seq, detail });
      }
      at = end;
    }
    return ok(keptOf(change));
  }
}

function keptOf({ branch }: LogChange): Kept {
  return { seq: branch?.last ?? 0, hash: branch?.hash ?? "" };
}

function check(bytes: Uint8Array, known: KnownKeys): Result<CheckedLine, string> {
  const parsed = parseLine(bytes);
  if (!parsed.ok) return err(`it sent a line that is none: ${parsed.error.reason}`);
  const { seq, signed, signature, members } = parsed.value;
  if (!known.forLine(members).some((key) => verifySignature(key, signed, signature))) {
    return err(`it sent a line ${seq} that no key of the log has signed`);
  }
  return ok({ seq, bytes, hash: lineHash(bytes), members });
}

/** Whether exactly this line is kept: then it was verified when it came. */
async function isKept(change: LogChange, bytes: Uint8Array): Promise<boolean> {
  const last = change.branch?.last ?? 0;
  if (last === 0) return false;
  const seq = seqOf(bytes);
  if (seq === undefined || seq > last) return false;
  const leaf = await change.leaf(seq);
  return leaf !== undefined && sameHash(leaf, leafHash(bytes));
}

function seqOf(bytes: Uint8Array): number | undefined {
  try {
    const { seq } = JSON.parse(new TextDecoder().decode(bytes));
    return Number.isSafeInteger(seq) && seq > 0 ? seq : undefined;
  } catch {
    return undefined;
  }
}

function sameKeys(one: readonly Uint8Array[], other: readonly Uint8Array[]): boolean {
  return one.length === other.length && one.every((key, index) => sameHash(key, other[index]!));
}

function union(one: readonly Uint8Array[], other: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map([...one, ...other].map((key) => [key.toBase64(), key])).values()];
}

/** Why a line that is not kept yet does not belong behind the last one; `undefined` if it does. */
function breakOf(branch: Branch | undefined, { seq, members }: CheckedLine): Incident | undefined {
  const last = branch?.last ?? 0;
  if (seq > last + 1) {
    return { kind: "gap", seq, detail: `the lines ${last + 1} to ${seq - 1} never arrived` };
  }
  if (seq <= last) {
    const detail = `it shipped ${last} lines, and now it ships another line ${seq}`;
    return { kind: "fork", seq, detail };
  }
  if (members.prev === (branch?.hash ?? GENESIS.hash)) return undefined;
  const detail = `line ${seq} does not follow the line ${last} that it shipped`;
  return { kind: "fork", seq, detail };
}

/** Behind the last of the lines from `start` on that follow one another. */
function endOfRun(lines: readonly CheckedLine[], start: number): number {
  let end = start + 1;
  while (end < lines.length) {
    const [line, before] = [lines[end]!, lines[end - 1]!];
    if (line.seq !== before.seq + 1 || line.members.prev !== before.hash) break;
    end++;
  }
  return end;
}
