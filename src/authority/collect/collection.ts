import type { Hash } from "../../audit/merkle/hash.ts";
import type { EventFilter } from "../../audit/search/event_filter.ts";

/** A log as a collector knows it. */
export interface LogName {
  /** The client that ships it, by its certificate. */
  readonly sidecar: string;
  /** The key that signed it first: 16 digits in hex, as in the origin of its checkpoints. */
  readonly id: string;
}

/**
 * Lines that follow one another. A log has one branch as long as nothing is wrong with it. Where
 * lines are missing, or others come in place of those that are kept, the new ones are kept as a
 * further branch: what came first is never replaced.
 */
export interface Branch {
  /** From 1. */
  readonly number: number;
  /** `seq` of its first line. */
  readonly first: number;
  /** `seq` of its last line. */
  readonly last: number;
  /** SHA-256 of the last line, hex. */
  readonly hash: string;
}

/** A line that was verified. */
export interface CheckedLine {
  readonly seq: number;
  /** Without the newline. */
  readonly bytes: Uint8Array;
  /** SHA-256 of it, hex. */
  readonly hash: string;
  readonly members: Readonly<Record<string, unknown>>;
}

/** Something that no honest log gives occasion for. */
export interface Incident {
  readonly kind: "forged" | "fork" | "gap" | "truncated" | "checkpoint";
  /** The line that it is about. */
  readonly seq: number;
  readonly detail: string;
}

/** A log as a whole, as a checkpoint says it. */
export interface Head {
  readonly size: number;
  readonly root: Hash;
}

/** The keys of a log, raw. */
export interface LogKeys {
  readonly inForce: readonly Uint8Array[];
  readonly all: readonly Uint8Array[];
}

/** A log while nobody else changes it; what is done counts, durably, once the change is over. */
export interface LogChange {
  /** The last branch, with what was appended; `undefined` before the first line. */
  readonly branch: Branch | undefined;
  /** The keys of the log: those that sign now, and all that ever did. */
  readonly keys: LogKeys;
  /** Remembers the keys that the lines kept so far lead to. */
  setKeys(keys: LogKeys): Promise<void>;
  /** The hash of a line as a leaf of the tree (RFC 6962), as it came last; `undefined`: not kept. */
  leaf(seq: number): Promise<Hash | undefined>;
  /** The root over the first `size` lines; `undefined` where not all of them are in one branch. */
  root(size: number): Promise<Hash | undefined>;
  /** Adds lines to the last branch, or begins a new one with them. */
  append(lines: readonly CheckedLine[], begin: boolean): Promise<void>;
  /** Writes down what happened; `false` when that was the last that was written down. */
  record(incident: Incident): Promise<boolean>;
  /** The last checkpoint that was cosigned. */
  witnessed(): Promise<Head | undefined>;
  /** Remembers a checkpoint, before its cosignature is handed out. */
  setWitnessed(head: Head): Promise<void>;
}

/** A line that a search found. */
export interface FoundLine {
  readonly sidecar: string;
  readonly line: string;
}

/** What an Authority keeps of the logs of its Sidecars. Methods reject when it is out of reach. */
export interface Collection {
  /**
   * Whose log it is: whoever shipped it first; `undefined` for nobody's. With `key`, which signs
   * it, nobody's becomes that of `log.sidecar`.
   */
  owner(log: LogName, key: Uint8Array | undefined): Promise<string | undefined>;
  /** Changes a log; where `work` rejects, as little of it happens as can be. */
  change<T>(log: LogName, work: (change: LogChange) => Promise<T>): Promise<T>;
  /** The last lines that fit, at most `limit` of them, oldest first. */
  search(filter: EventFilter, limit: number): AsyncIterable<FoundLine>;
  close(): Promise<void>;
}
