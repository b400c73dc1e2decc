import type { Revocation } from "../../core/authority.ts";
import type { PolicyBundle } from "../../core/policy_bundle.ts";

/** An agent that tokens may be issued for. */
export interface RegisteredAgent {
  /** `agt_…` */
  readonly id: string;
  /** Unique among the registered agents. */
  readonly name: string;
  /** RFC 3339. */
  readonly registeredAt: string;
}

/** What is kept of a token that was issued; the token itself is not. */
export interface IssuedToken {
  readonly tokenId: string;
  readonly agentId: string;
  readonly sessionId: string;
  /** RFC 3339. */
  readonly issuedAt: string;
  /** RFC 3339. */
  readonly expiry: string;
}

/** What became of a token that was to be remembered; anything but `recorded` is why it was not. */
export type Recorded = "recorded" | "AGENT_NOT_REGISTERED" | "SESSION_REVOKED";

/** A policy bundle before it has its place in the order of bundles. */
export type BundleContent = Omit<PolicyBundle, "revision">;

/** A bundle that Sidecars may have been given. */
export type PublishedBundle = PolicyBundle;

/**
 * What an Authority has to remember, and tells its like. Every method may
 * reject when the store is out of reach; the Authority then gives no answer
 * rather than one that rests on nothing. What a method promised is durable when
 * it resolves, as far as the store is.
 */
export interface AuthorityStore {
  /** The agent with this identifier, if it is registered. */
  findAgent(id: string): Promise<RegisteredAgent | undefined>;
  /** All agents, by name. */
  listAgents(): Promise<readonly RegisteredAgent[]>;
  /** Says `false` when the name or the identifier is taken. */
  addAgent(agent: RegisteredAgent): Promise<boolean>;
  /** Says `false` when there is none. */
  removeAgent(id: string): Promise<boolean>;

  /**
   * Remembers a token before anybody gets it. With `registeredOnly` it remembers
   * nothing of an agent that is not registered at that moment; and never anything
   * of a session of which a token has been revoked: whoever revokes a token means
   * the session to stop, not to fetch the next one.
   */
  recordToken(token: IssuedToken, registeredOnly?: boolean): Promise<Recorded>;

  /** Everything that is revoked now. */
  listRevocations(): Promise<readonly Revocation[]>;
  /** Revokes; a token that is revoked already stays as it is. */
  revoke(revocation: Revocation): Promise<void>;
  /** Takes a revocation back, and lets its session have tokens again; `false` when there is none. */
  withdrawRevocation(tokenId: string): Promise<boolean>;
  /**
   * Forgets the revocations that are older than `olderThanMs` (since the epoch),
   * of which no token can be alive; their sessions stay without tokens. Returns
   * how many these were.
   */
  compactRevocations(olderThanMs: number): Promise<number>;
  /** The whole list, then after each change the whole list again, until `signal` aborts. */
  watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]>;

  /** The bundle that was published last. */
  currentBundle(): Promise<PublishedBundle | undefined>;
  /**
   * Gives a bundle the next revision, unless it is the current one already; the
   * current one comes back. With `atStart`, what other Authorities have
   * published since goes before what a directory held when this one started.
   */
  publishBundle(content: BundleContent, atStart: boolean): Promise<PublishedBundle>;
  /** Each bundle that is published from now on, by whichever Authority, until `signal` aborts. */
  watchBundles(signal: AbortSignal): AsyncIterable<PublishedBundle>;

  /** Lets go of everything. Streams end. */
  close(): Promise<void>;
}
