import type { PolicyBundle } from "./policy_bundle.ts";
import type { FirmaError, Result } from "./result.ts";

/** A request for a capability token. */
export interface IssueCapabilityRequest {
  readonly agentId: string;
  readonly sessionId: string;
  readonly requestedActions: readonly string[];
  readonly resourceScope: readonly string[];
  /** Zero or less asks for the longest that the Authority grants. */
  readonly requestedTtlSeconds: number;
}

/** The Authority's answer to {@linkcode IssueCapabilityRequest}. */
export type IssueCapabilityResponse =
  | { readonly granted: true; readonly token: string }
  | { readonly granted: false; readonly denyReason: string; readonly denyMessage: string };

/** A request for an ID token about an agent. */
export interface IdentityTokenRequest {
  readonly agentId: string;
  readonly sessionId: string;
  /** What the token is for, as the service wants to be named. */
  readonly audience: string;
}

/** What a Sidecar hears on the bundle stream. */
export type BundleUpdate =
  | {
    readonly kind: "bundle";
    readonly bundle: PolicyBundle;
    /**
     * When it was found to be so, in milliseconds since the epoch.
     * @default {undefined} now
     */
    readonly atMs?: number;
  }
  /** An edit that is not valid: the bundle in force stays, and the operator is told why. */
  | { readonly kind: "refused"; readonly errors: readonly FirmaError[] }
  /** There is no policy any more (directory deleted or unreadable): deny everything. */
  | { readonly kind: "gone"; readonly error: FirmaError };

/** One revoked token. */
export interface Revocation {
  readonly tokenId: string;
  readonly reason: string;
  /** RFC 3339. */
  readonly timestamp: string;
}

/**
 * The trust root as a Sidecar sees it; in-process today, the gRPC client later.
 * Streams end when `signal` aborts and never end by themselves.
 */
export interface Authority {
  /** Raw Ed25519 public key that tokens verify under, 32 bytes. */
  publicKey(): Promise<Uint8Array>;
  issueCapability(request: IssueCapabilityRequest): Promise<IssueCapabilityResponse>;
  /** An ID token for a service that trusts this Authority to say who asks. Never rejects. */
  issueIdentityToken(request: IdentityTokenRequest): Promise<Result<string>>;
  watchPolicyBundle(signal: AbortSignal): AsyncIterable<BundleUpdate>;
  /** First the whole list, then each change as the whole list again. */
  watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]>;
}
