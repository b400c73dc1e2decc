import type {
  Authority,
  BundleUpdate,
  IssueCapabilityRequest,
  IssueCapabilityResponse,
  Revocation,
} from "../core/authority.ts";
import type { CheckedContents } from "../config/checked_contents.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { newId } from "../core/id.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { issueToken } from "../capability/token.ts";
import type { SigningKey } from "../pki/signing_key.ts";
import { cedarModule, initCedar } from "../policy/cedar_module.ts";
import { PolicyEngine } from "../policy/engine.ts";
import { schemaText } from "../policy/schema.ts";
import { contextHash, parseIssuance, permittedActions } from "./issuance.ts";
import { PolicySource } from "./policy_source.ts";
import { RevocationSource } from "./revocation_source.ts";

/** Options of {@linkcode LocalAuthority.open}. */
export interface LocalAuthorityOptions {
  /** Directory of the policies that Sidecars decide by. */
  readonly policyDir: string;
  /** Directory of the policies that decide what tokens are issued. */
  readonly issuancePolicyDir: string;
  /** File of revoked tokens; it need not be there. */
  readonly revocationFile: string;
  /** Longest life of a token, in milliseconds. */
  readonly maxTtlMs: number;
  /** How long a Sidecar may go on with a bundle unheard, in milliseconds. */
  readonly bundleTtlMs: number;
  readonly signingKey: SigningKey;
  /**
   * Remembers which bundles are valid.
   * @default {undefined} nothing does: each start checks them
   */
  readonly known?: CheckedContents;
  /**
   * Hears what the operator should know: a malformed revocation, an invalid
   * issuance policy, a policy that looks like a mistake.
   */
  readonly onNotice?: (notice: FirmaError) => void;
}

/** The Authority of one machine, in the process of its Sidecar. */
export class LocalAuthority implements Authority {
  readonly #options: LocalAuthorityOptions;
  readonly #policies: PolicySource;
  readonly #issuance: PolicySource;
  readonly #revocations: RevocationSource;
  readonly #closing = new AbortController();
  readonly #preparing: ReturnType<typeof setTimeout>;
  /** The tokens of each session, expired ones too: a revoked session stays revoked. */
  readonly #issued = new Map<string, string[]>();
  #engine: { readonly bundle: PolicyBundle; readonly engine: PolicyEngine } | undefined;

  private constructor(
    options: LocalAuthorityOptions,
    policies: PolicySource,
    issuance: PolicySource,
    revocations: RevocationSource,
  ) {
    this.#options = options;
    this.#policies = policies;
    this.#issuance = issuance;
    this.#revocations = revocations;
    void this.#watchIssuance();
    // The first session is about to ask for it, and whoever started this one waits for others now.
    this.#preparing = setTimeout(() => this.#issuanceEngine());
  }

  /**
   * Starts the Authority. Fails, with everything that is wrong, when a policy
   * directory holds no valid bundle or the revocation file cannot be read.
   */
  static async open(options: LocalAuthorityOptions): Promise<Result<LocalAuthority, FirmaError[]>> {
    initCedar(await cedarModule());
    const schema = schemaText();
    const ttlMs = options.bundleTtlMs;
    const onWarning = (warning: FirmaError) => options.onNotice?.(warning);
    const base = { schema, ttlMs, onWarning, known: options.known };
    const [policies, issuance, revocations] = await Promise.all([
      PolicySource.open({ ...base, directory: options.policyDir }),
      PolicySource.open({ ...base, directory: options.issuancePolicyDir }),
      RevocationSource.open(options.revocationFile, onWarning),
    ]);
    if (policies.ok && issuance.ok && revocations.ok) {
      return ok(new LocalAuthority(options, policies.value, issuance.value, revocations.value));
    }
    const errors: FirmaError[] = [];
    for (const part of [policies, issuance, revocations]) {
      if (part.ok) await part.value.close();
      else errors.push(...[part.error].flat());
    }
    return err(errors);
  }

  publicKey(): Promise<Uint8Array> {
    return Promise.resolve(this.#options.signingKey.publicKey);
  }

  async issueCapability(request: IssueCapabilityRequest): Promise<IssueCapabilityResponse> {
    const claims = this.#grant(request);
    if (!claims.ok) {
      return { granted: false, denyReason: claims.error.code, denyMessage: claims.error.message };
    }
    const token = await issueToken(claims.value, this.#options.signingKey.privateKey);
    return { granted: true, token };
  }

  watchPolicyBundle(signal: AbortSignal): AsyncIterable<BundleUpdate> {
    return this.#policies.updates(signal);
  }

  watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]> {
    return this.#revocations.updates(signal);
  }

  /** Stops watching files. Streams stay open, and hear nothing any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    clearTimeout(this.#preparing);
    await Promise.all([
      this.#policies.close(),
      this.#issuance.close(),
      this.#revocations.close(),
    ]);
  }

  #grant(request: IssueCapabilityRequest): Result<CapabilityClaims> {
    const demand = parseIssuance(request);
    if (!demand.ok) return demand;
    const nowMs = Date.now();
    const { agentId, sessionId, resourceScope, ttlSeconds } = demand.value;
    if (this.#sessionIsRevoked(sessionId)) {
      return err({
        code: "SESSION_REVOKED",
        message: `Cannot issue a capability token: a token of session "${sessionId}" is revoked`,
      });
    }
    const bundle = this.#policies.bundle;
    const engine = this.#issuanceEngine();
    if (bundle === undefined || engine === undefined) {
      return err({
        code: "NO_POLICIES",
        message: "Cannot issue a capability token: there are no policies",
      });
    }
    const actions = permittedActions(engine, demand.value, nowMs);
    if (!actions.ok) return actions;
    const { maxTtlMs } = this.#options;
    const ttlMs = ttlSeconds <= 0 ? maxTtlMs : Math.min(ttlSeconds * 1000, maxTtlMs);
    const tokenId = newId("ctok", nowMs);
    this.#remember(sessionId, tokenId);
    return ok({
      token_id: tokenId,
      agent_id: agentId,
      session_id: sessionId,
      action_set: actions.value,
      resource_scope: resourceScope,
      issued_at: new Date(nowMs).toISOString(),
      expiry: new Date(nowMs + ttlMs).toISOString(),
      context_hash: contextHash(demand.value, actions.value, bundle.version),
      policy_bundle_version: bundle.version,
    });
  }

  /** Whoever revokes a token means the session to stop, not to fetch the next token. */
  #sessionIsRevoked(sessionId: string): boolean {
    const revoked = this.#revocations.tokenIds;
    return (this.#issued.get(sessionId) ?? []).some((tokenId) => revoked.has(tokenId));
  }

  #remember(sessionId: string, tokenId: string): void {
    const tokens = this.#issued.get(sessionId) ?? [];
    tokens.push(tokenId);
    this.#issued.set(sessionId, tokens);
  }

  #issuanceEngine(): PolicyEngine | undefined {
    const bundle = this.#issuance.bundle;
    if (bundle === undefined) return undefined;
    if (this.#engine?.bundle !== bundle) {
      const created = PolicyEngine.create(bundle, { memoCapacity: 0 });
      this.#engine = created.ok ? { bundle, engine: created.value } : undefined;
    }
    return this.#engine?.engine;
  }

  async #watchIssuance(): Promise<void> {
    for await (const update of this.#issuance.updates(this.#closing.signal)) {
      if (update.kind === "gone") this.#options.onNotice?.(update.error);
      if (update.kind === "refused") {
        update.errors.forEach((error) => this.#options.onNotice?.(error));
      }
    }
  }
}
