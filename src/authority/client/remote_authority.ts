import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type {
  Authority,
  BundleUpdate,
  IdentityTokenRequest,
  IssueCapabilityRequest,
  IssueCapabilityResponse,
  Revocation,
} from "../../core/authority.ts";
import type { ConnectAddress } from "../../config/connect_address.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import {
  IssueCapabilityRequestSchema,
  IssueIdentityTokenRequestSchema,
  type PolicyBundleUpdate,
  type RevocationEvent,
  RevocationKind,
} from "../../proto/firma/v1/authority_pb.ts";
import { BUNDLE_FAULTS } from "../bundle_faults.ts";
import { schemaText } from "../../policy/schema.ts";
import { schemaDigest } from "../bundle_statement.ts";
import { delay } from "../../core/delay.ts";
import { refused } from "../identity/identity_issuer.ts";
import type { SidecarCredentials } from "../pre_shared_key.ts";
import { backoffMs } from "../../core/backoff.ts";
import { BundleReceiver } from "./bundle_receiver.ts";
import { type ClientTlsFiles, type Connection, Connections } from "./connections.ts";
import { readIssued } from "./issued.ts";

export type { ClientTlsFiles } from "./connections.ts";

/** Options of {@linkcode RemoteAuthority.open}. */
export interface RemoteAuthorityOptions {
  /** `unix:///path/of.sock` or `https://host:port`, tried in turn; at least one. */
  readonly endpoints: readonly string[];
  /** Where the first of them is, if not where its name says. */
  readonly connectAddr?: ConnectAddress | undefined;
  /** Raw Ed25519 key of the Authority, 32 bytes: what it has not signed is not believed. */
  readonly publicKey: Uint8Array;
  /** Wanted for `https`. */
  readonly tls?: ClientTlsFiles | undefined;
  /** Shown with every request. */
  readonly credentials?: SidecarCredentials | undefined;
  /** How long the first answer may take, in milliseconds. @default {10_000} */
  readonly connectTimeoutMs?: number;
  /** How long a token may take, in milliseconds. @default {15_000} */
  readonly issueTimeoutMs?: number;
  /** Shortest wait before a stream is opened again, in milliseconds. @default {250} */
  readonly minBackoffMs?: number;
  /** Longest wait before a stream is opened again, in milliseconds. @default {30_000} */
  readonly maxBackoffMs?: number;
  /** Hears when all revocations are known, and when their stream broke. */
  readonly onRevocationsHeard?: (areHeard: boolean) => void;
  /** Hears when the Authority cannot be reached, and when it can again. */
  readonly onNotice?: (level: "info" | "warn", text: string) => void;
}

/** Silence after which a stream of revocations is taken for dead, in milliseconds: three beats. */
const REVOCATION_SILENCE_MS = 15_000;
/** The part of a bundle's time to live after which silence is taken for death: two renewals. */
const BUNDLE_SILENCE = 2 / 3;

/**
 * An Authority that is reached over the network. Its streams never end by
 * themselves: one that breaks, or falls silent, is opened again, at the next
 * endpoint where there are several. They say something only once the Authority
 * has, so that whoever waits for their beginnings is ready when it should be;
 * and while it is out of reach they say nothing, so that the bundle grows stale.
 */
export class RemoteAuthority implements Authority {
  readonly #options: RemoteAuthorityOptions;
  readonly #connections: Connections;
  readonly #receiver: BundleReceiver;
  readonly #credentials: { readonly credentials?: SidecarCredentials };

  private constructor(options: RemoteAuthorityOptions, connections: Connections) {
    this.#options = options;
    this.#connections = connections;
    this.#receiver = new BundleReceiver(options.publicKey);
    const { credentials } = options;
    this.#credentials = credentials === undefined ? {} : { credentials };
  }

  /** Checks endpoints and certificates. Connects when something is asked for. */
  static async open(options: RemoteAuthorityOptions): Promise<Result<RemoteAuthority>> {
    const connections = await Connections.open({
      endpoints: options.endpoints,
      connectAddr: options.connectAddr,
      tls: options.tls,
      onNotice: ({ message }: FirmaError) => options.onNotice?.("warn", message),
    });
    return connections.ok ? ok(new RemoteAuthority(options, connections.value)) : connections;
  }

  publicKey(): Promise<Uint8Array> {
    return Promise.resolve(this.#options.publicKey);
  }

  /**
   * Asks each endpoint once, and one more time whatever comes next: the connection in use may
   * have ended without a word. Out of reach is `AUTHORITY_UNAVAILABLE`.
   */
  async issueCapability(request: IssueCapabilityRequest): Promise<IssueCapabilityResponse> {
    const message = create(IssueCapabilityRequestSchema, {
      agentId: request.agentId,
      sessionId: request.sessionId,
      requestedActions: [...request.requestedActions],
      resourceScope: [...request.resourceScope],
      requestedTtlSeconds: wholeSeconds(request.requestedTtlSeconds),
      ...this.#credentials,
    });
    const answer = await this.#ask(async ({ client }, signal) =>
      readIssued(await client.issueCapability(message, { signal }))
    );
    if (answer.ok) return answer.value;
    return {
      granted: false,
      denyReason: "AUTHORITY_UNAVAILABLE",
      denyMessage:
        `Cannot issue a capability token: the Authority does not answer: ${answer.error}`,
    };
  }

  /** Asks as {@linkcode issueCapability} does. */
  async issueIdentityToken(request: IdentityTokenRequest): Promise<Result<string>> {
    const message = create(IssueIdentityTokenRequestSchema, { ...request, ...this.#credentials });
    const answer = await this.#ask(({ client }, signal) =>
      client.issueIdentityToken(message, { signal })
    );
    if (!answer.ok) {
      return refused("AUTHORITY_UNAVAILABLE", `the Authority does not answer: ${answer.error}`);
    }
    const { idToken, denyReason, denyMessage } = answer.value;
    if (/^[\w-]+\.[\w-]+\.[\w-]+$/.test(idToken)) return ok(idToken);
    const code = /^[A-Z][A-Z0-9_]{0,63}$/.test(denyReason) ? denyReason : "AUTHORITY_UNAVAILABLE";
    return err({ code, message: denyMessage.slice(0, 500) || "Cannot issue an ID token" });
  }

  /** What the Authority answers, at one endpoint after the other; or why there is no answer. */
  async #ask<T>(
    ask: (connection: Connection, signal: AbortSignal) => Promise<T>,
  ): Promise<Result<T, string>> {
    const { endpoints, issueTimeoutMs = 15_000 } = this.#options;
    const late = performance.now() + issueTimeoutMs;
    let reason = "";
    for (let tries = 0; tries <= endpoints.length && performance.now() < late; tries++) {
      const connection = this.#connections.current();
      try {
        return ok(await ask(connection, AbortSignal.timeout(issueTimeoutMs)));
      } catch (cause) {
        reason = reasonOf(cause);
        this.#connections.fail(connection);
      }
    }
    return err(reason);
  }

  async *watchPolicyBundle(signal: AbortSignal): AsyncGenerator<BundleUpdate> {
    let ttlMs = 0;
    const silenceMs = () => ttlMs * BUNDLE_SILENCE;
    this.#receiver.knownSchema = schemaText();
    const knownSchemaSha256 = schemaDigest(this.#receiver.knownSchema);
    const open = ({ client }: Connection, signal: AbortSignal) => {
      const currentVersion = this.#receiver.version;
      const asked = {
        acceptNotices: true,
        currentVersion,
        knownSchemaSha256,
        ...this.#credentials,
      };
      return this.#believable(client.watchPolicyBundle(asked, { signal }));
    };
    for await (const update of this.#follow("policy bundles", open, silenceMs, signal)) {
      if (update?.kind === "bundle") ttlMs = update.bundle.ttlSeconds * 1000;
      if (update !== undefined) yield update;
    }
  }

  /** What messages mean, up to one that this Authority has not signed or that is of the past. */
  async *#believable(
    messages: AsyncIterable<PolicyBundleUpdate>,
  ): AsyncGenerator<BundleUpdate | undefined> {
    for await (const message of messages) {
      const update = this.#receiver.receive(message, Date.now());
      yield update;
      // Another endpoint may know better.
      if (isUnbelievable(update)) throw new Error("what it says cannot be believed");
    }
  }

  async *watchRevocations(signal: AbortSignal): AsyncGenerator<readonly Revocation[]> {
    let list = new Map<string, Revocation>();
    let said: string | undefined;
    const open = ({ client }: Connection, signal: AbortSignal) => {
      // Each stream begins with everything: what was withdrawn in between is not in it.
      list = new Map();
      return client.watchRevocations({ acceptMarks: true, ...this.#credentials }, { signal });
    };
    const silenceMs = () => REVOCATION_SILENCE_MS;
    const onBroken = () => this.#options.onRevocationsHeard?.(false);
    let changed = true;
    for await (const event of this.#follow("revocations", open, silenceMs, signal, onBroken)) {
      if (event.kind !== RevocationKind.COMPLETE) {
        apply(list, event);
        changed = true;
        continue;
      }
      const tokens = changed ? [...list.keys()].sort().join() : said;
      changed = false;
      if (tokens !== said) {
        said = tokens;
        yield [...list.values()];
      }
      // Not before whoever reads them has them.
      this.#options.onRevocationsHeard?.(true);
    }
  }

  /** Ends the connection. Streams end with their signals. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  /** The messages of a stream that is opened again whenever it breaks or falls silent. */
  async *#follow<T>(
    what: string,
    open: (connection: Connection, signal: AbortSignal) => AsyncIterable<T>,
    silenceMs: () => number,
    signal: AbortSignal,
    onBroken?: () => void,
  ): AsyncGenerator<T> {
    const { connectTimeoutMs = 10_000, onNotice } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const connection = this.#connections.current();
      const silence = new AbortController();
      let timer = setTimeout(() => silence.abort(), connectTimeoutMs);
      const ended = AbortSignal.any([signal, connection.replaced, silence.signal]);
      let reason = "the stream ended";
      try {
        for await (const message of open(connection, ended)) {
          clearTimeout(timer);
          if (!isUnbelievable(message)) {
            if (failures > 0) onNotice?.("info", `The Authority's ${what} can be heard again`);
            failures = 0;
          }
          yield message;
          // From here: what the reader takes its time for is not the Authority's silence.
          timer = setTimeout(() => silence.abort(), Math.max(silenceMs(), connectTimeoutMs));
        }
      } catch (cause) {
        reason = silence.signal.aborted ? "it fell silent" : reasonOf(cause);
      } finally {
        clearTimeout(timer);
      }
      if (signal.aborted) return;
      onBroken?.();
      if (connection.replaced.aborted && failures === 0) continue;
      this.#connections.fail(connection);
      failures++;
      if (failures === 1) {
        onNotice?.("warn", `Cannot hear the Authority's ${what}: ${reason}; trying again`);
      }
      await delay(backoffMs(failures, this.#options), signal);
    }
  }
}

/** Whether it is a bundle that was refused for what it is, not for what is written in it. */
function isUnbelievable(message: unknown): boolean {
  const { kind, errors } = (message ?? {}) as Partial<BundleUpdate & { kind: "refused" }>;
  return kind === "refused" && errors!.some(({ code }) => BUNDLE_FAULTS.has(code));
}

function apply(list: Map<string, Revocation>, event: RevocationEvent): void {
  const { tokenId, reason, timestamp, kind } = event;
  if (kind === RevocationKind.WITHDRAWN) list.delete(tokenId);
  // A kind of a later version says something about a token; the safe reading is that it is revoked.
  else {
    const at = timestamp === undefined ? 0 : timestampMs(timestamp);
    list.set(tokenId, { tokenId, reason, timestamp: new Date(at).toISOString() });
  }
}

/** Whole seconds that are not more than was asked for, except that a part of one is one. */
function wholeSeconds(seconds: number): number {
  if (!(seconds > 0)) return 0;
  return Math.min(Math.max(1, Math.floor(seconds)), 2 ** 31 - 1);
}

function reasonOf(cause: unknown): string {
  if (cause instanceof ConnectError) {
    const inner = cause.cause;
    const detail = inner instanceof Error && inner.cause instanceof Error
      ? `: ${inner.cause.message}`
      : "";
    return `${cause.message}${detail}`;
  }
  return cause instanceof Error ? cause.message : String(cause);
}
