import { Buffer } from "node:buffer";
import { hash, timingSafeEqual } from "node:crypto";
import type { FieldList } from "../../net/http/exchange.ts";
import { FailureLimit } from "./failure_limit.ts";

/** What lets an agent into its session by way of the proxy. */
export interface ProxySecret {
  /** The user names that it may come with: its session's and its sandbox's identifier. */
  readonly names: readonly string[];
  /** SHA-256 of the password, which this side never has. */
  readonly digest: Uint8Array;
}

/** Whose request it is, as far as its `Proxy-Authorization` says. */
export type Identified =
  | { readonly kind: "session"; readonly sessionId: string }
  /** Nothing was said: no attempt, and answered with a challenge however often. */
  | { readonly kind: "nobody" }
  | { readonly kind: "wrong"; readonly name: string }
  /** Too many attempts were wrong; this one is wrong as well. */
  | { readonly kind: "too many" };

interface Entry {
  readonly sessionId: string;
  readonly digest: Uint8Array;
}

const NOBODY = { kind: "nobody" } as const;
/** `Basic` and its parameter (RFC 7617, 2), whose form leaves nothing to choose. */
const BASIC = /^basic +([A-Za-z0-9+/]{4,1024}={0,2})$/i;
/** What an unknown name is compared with, so that it takes as long as a known one. */
const NOTHING = new Uint8Array(32);
const LONGEST_SHOWN_NAME = 64;

/** The secrets of all sessions that come by way of the proxy (RFC 9110, 11.7). */
export class ProxyCredentials {
  readonly #entries = new Map<string, Entry>();
  readonly #failures: FailureLimit;

  constructor(failures: FailureLimit = new FailureLimit()) {
    this.#failures = failures;
  }

  /** Number of sessions. */
  get size(): number {
    return new Set(this.#entries.values()).size;
  }

  /** Lets a session in. */
  add(sessionId: string, { names, digest }: ProxySecret): void {
    const entry = { sessionId, digest };
    for (const name of names) this.#entries.set(name, entry);
  }

  /** Lets a session in no longer. */
  remove(sessionId: string): void {
    for (const [name, entry] of this.#entries) {
      if (entry.sessionId === sessionId) this.#entries.delete(name);
    }
  }

  /**
   * Says whose request has these fields. Whoever has the right secret is let in whatever others
   * tried before: nobody can lock a session out.
   */
  identify(fields: FieldList): Identified {
    const given = fields.filter(([name]) => name === "proxy-authorization");
    if (given.length === 0) return NOBODY;
    // Two of them are read differently by different readers.
    const pair = given.length === 1 ? basicPair(given[0]![1]) : undefined;
    const entry = this.#entries.get(pair?.name ?? "");
    const presented = hash("sha256", pair?.password ?? Buffer.alloc(0), "buffer");
    const fits = timingSafeEqual(presented, entry?.digest ?? NOTHING);
    if (fits && entry !== undefined) return { kind: "session", sessionId: entry.sessionId };
    if (!this.#failures.allows()) return { kind: "too many" };
    return { kind: "wrong", name: pair?.name.slice(0, LONGEST_SHOWN_NAME) ?? "" };
  }
}

function basicPair(
  value: string,
): { readonly name: string; readonly password: Buffer } | undefined {
  const encoded = BASIC.exec(value)?.[1];
  if (encoded === undefined || encoded.length % 4 !== 0) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  const colon = bytes.indexOf(0x3a);
  if (colon < 0) return undefined;
  return { name: bytes.toString("latin1", 0, colon), password: bytes.subarray(colon + 1) };
}
