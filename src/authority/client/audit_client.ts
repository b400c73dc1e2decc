import { Code, ConnectError } from "@connectrpc/connect";
import { type Checkpoint, parseClaim } from "../../audit/checkpoint.ts";
import { readCheckpointNote } from "../../audit/checkpoint_file.ts";
import type { Hash } from "../../audit/merkle/hash.ts";
import { consistencyPath } from "../../audit/merkle/stored.ts";
import { verifyConsistency } from "../../audit/merkle/verify.ts";
import type { Destination, LogLine, LogPosition, Outcome } from "../../audit/ship/destination.ts";
import { firstKey } from "../../audit/ship/first_key.ts";
import { isHash } from "../../audit/ship/is_hash.ts";
import { TreeFile } from "../../audit/tree_file.ts";
import { formatAddCheckpoint } from "../../audit/witness/add_checkpoint.ts";
import { readCosignedNote, writeCosignedNote } from "../../audit/witness/cosigned_file.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { SidecarCredentials } from "../pre_shared_key.ts";
import { type Connection, Connections, type ConnectionsOptions } from "./connections.ts";

/** Options of {@linkcode AuditClient.open}. */
export interface AuditClientOptions extends ConnectionsOptions {
  /** Shown with every request. */
  readonly credentials?: SidecarCredentials | undefined;
  /** The log that is shipped. */
  readonly logPath: string;
}

const decoder = new TextDecoder();

/**
 * The Authority as a destination of the audit log: it keeps the lines, and cosigns the checkpoints
 * of a log that only grows. What it cosigned lies beside the log.
 */
export class AuditClient implements Destination {
  readonly name: string;
  readonly most = { lines: 1_024, bytes: 768 * 1024 };
  readonly #options: AuditClientOptions;
  readonly #connections: Connections;
  #logKey: Uint8Array<ArrayBuffer> | undefined;

  private constructor(options: AuditClientOptions, connections: Connections) {
    this.name = `Authority at "${options.endpoints[0]}"`;
    this.#options = options;
    this.#connections = connections;
  }

  /** Checks endpoints and certificates; connects when something is to be sent. */
  static async open(options: AuditClientOptions): Promise<Result<AuditClient>> {
    const connections = await Connections.open(options);
    return connections.ok ? ok(new AuditClient(options, connections.value)) : connections;
  }

  async resume({ seq }: LogPosition, signal: AbortSignal): Promise<Outcome<LogPosition>> {
    return await this.#ask(async ({ audit }) => {
      const { acknowledgedSeq, acknowledgedHash } = await audit.resumeEvents(
        { ...this.#common(), lastSeq: BigInt(seq) },
        { signal },
      );
      const hash = isHash(acknowledgedHash) ? acknowledgedHash : "";
      return { seq: Number(acknowledgedSeq), hash };
    });
  }

  async deliver(lines: readonly LogLine[], signal: AbortSignal): Promise<Outcome<number>> {
    return await this.#ask(async ({ audit }) => {
      const common = this.#common();
      const events = lines.map(({ bytes }, index) => ({
        line: decoder.decode(bytes),
        ...(index === 0 && common),
      }));
      const { acknowledgedSeq } = await audit.streamEvents(each(events), { signal });
      return Number(acknowledgedSeq);
    });
  }

  async caughtUp(seq: number, signal: AbortSignal): Promise<Outcome<void>> {
    const { logPath } = this.#options;
    const note = readCheckpointNote(logPath);
    // The witness looks who signed it.
    const checkpoint = note === undefined ? undefined : parseClaim(note);
    if (note === undefined || !checkpoint?.ok) return ok(undefined);
    const { size } = checkpoint.value;
    // Ahead of what was shipped: later it will not be.
    if (size > seq) return ok(undefined);
    const cosigned = this.#cosigned();
    if (cosigned?.size === size) return ok(undefined);
    return await this.#ask(async ({ audit }) => {
      let oldSize = cosigned?.size ?? 0;
      // Once more where the witness remembers another checkpoint than is remembered here.
      for (let attempt = 0; attempt < 2; attempt++) {
        const request = formatAddCheckpoint({
          oldSize,
          proof: this.#proof(oldSize, checkpoint.value, cosigned),
          checkpoint: note,
        });
        const { cosignatures, knownSize } = await audit.addCheckpoint(
          { ...this.#common(), request },
          { signal },
        );
        if (knownSize === undefined) {
          return writeCosignedNote(logPath, `${note}${cosignatures}`);
        }
        if (Number(knownSize) > size) throw new Error("it has cosigned a longer log than this one");
        oldSize = Number(knownSize);
      }
      throw new Error("its witness does not know what it has cosigned");
    });
  }

  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** The last checkpoint that was cosigned, as far as is known here. */
  #cosigned(): Checkpoint | undefined {
    const note = readCosignedNote(this.#options.logPath);
    const checkpoint = note === undefined ? undefined : parseClaim(note);
    return checkpoint?.ok ? checkpoint.value : undefined;
  }

  #proof(oldSize: number, head: Checkpoint, cosigned: Checkpoint | undefined): Hash[] {
    const tree = new TreeFile(this.#options.logPath);
    try {
      const proof = consistencyPath(oldSize, head.size, tree.hash);
      const isOld = cosigned?.size === oldSize;
      if (isOld && !verifyConsistency(oldSize, cosigned.root, head.size, head.root, proof)) {
        // Before the witness, who would have to take it for a fork.
        throw new Error("the log is not the one that was cosigned, or its tree was made anew");
      }
      return proof;
    } finally {
      tree.close();
    }
  }

  #common() {
    const { credentials, logPath } = this.#options;
    this.#logKey ??= firstKey(logPath);
    return { logKey: this.#logKey, ...(credentials && { credentials }) };
  }

  async #ask<T>(ask: (connection: Connection) => Promise<T>): Promise<Outcome<T>> {
    const connection = this.#connections.current();
    try {
      return ok(await ask(connection));
    } catch (cause) {
      this.#connections.fail(connection);
      return err({ reason: reasonOf(cause) });
    }
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

function reasonOf(cause: unknown): string {
  if (!(cause instanceof ConnectError)) {
    return cause instanceof Error ? cause.message : String(cause);
  }
  if (cause.code === Code.Unimplemented) {
    return "it collects no audit logs; write collect = true in its [authority.audit]";
  }
  return cause.rawMessage;
}
