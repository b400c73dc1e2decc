import { after } from "../core/after.ts";
import type {
  Authority,
  BundleUpdate,
  IdentityTokenRequest,
  IssueCapabilityRequest,
  IssueCapabilityResponse,
  Revocation,
} from "../core/authority.ts";
import type { IdentityConfig } from "../config/authority_config.ts";
import type { CheckedContents } from "../config/checked_contents.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { isAgentName } from "../core/agent_name.ts";
import { isId, newId } from "../core/id.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { issueToken } from "../capability/token.ts";
import type { SigningKey } from "../pki/signing_key.ts";
import { offerCedar, readCedar } from "../policy/cedar_module.ts";
import { PolicyEngine } from "../policy/engine.ts";
import { schemaText } from "../policy/schema.ts";
import { BundleFeed } from "./bundle_feed.ts";
import {
  contextHash,
  isSessionName,
  type IssuanceDemand,
  parseIssuance,
  permittedActions,
  refusal,
} from "./issuance.ts";
import { PolicySource, type RemovedPolicies } from "./policy_source.ts";
import type { AuthorityStore, RegisteredAgent } from "./store/store.ts";

/** Options of {@linkcode LocalAuthority.open}. */
export interface LocalAuthorityOptions {
  /** Directory of the policies that Sidecars decide by. */
  readonly policyDir: string;
  /** The mapping rules that these policies are written for; bundles name their digest. */
  readonly mappingRulesPaths?: readonly string[];
  /** Directory of the policies that decide what tokens are issued. */
  readonly issuancePolicyDir: string;
  /** Opens what the Authority remembers things in, and closes when it closes. */
  readonly openStore: () => Promise<Result<AuthorityStore>>;
  /**
   * Whether tokens are issued for registered agents alone.
   * @default {false}
   */
  readonly registeredAgentsOnly?: boolean;
  /**
   * Finds a registered agent by its name.
   * @default {a look at the store}
   */
  readonly agentNamed?: (name: string) => Promise<RegisteredAgent | undefined>;
  /** Longest life of a token, in milliseconds. */
  readonly maxTtlMs: number;
  /** How long a Sidecar may go on with a bundle unheard, in milliseconds. */
  readonly bundleTtlMs: number;
  readonly signingKey: SigningKey;
  /**
   * Who it vouches for agents as.
   * @default {undefined} it does not
   */
  readonly identity?: IdentityConfig | undefined;
  /**
   * Remembers which bundles are valid.
   * @default {undefined} nothing does: each start checks them
   */
  readonly known?: CheckedContents;
  /**
   * Tells whether the operator meant to remove a policy file.
   * @default {undefined} one that vanishes stays in force
   */
  readonly wasRemoved?: (removed: RemovedPolicies) => boolean;
  /**
   * Hears what the operator should know: a malformed revocation, an invalid
   * issuance policy, a policy that looks like a mistake.
   */
  readonly onNotice?: (notice: FirmaError) => void;
}

/** A token and what it says. */
export interface Grant {
  readonly token: string;
  readonly claims: CapabilityClaims;
}

/**
 * The Authority itself: in the process of the one Sidecar that it is for, or
 * behind the service that many Sidecars reach over the network.
 */
export class LocalAuthority implements Authority {
  readonly #options: LocalAuthorityOptions;
  readonly #policies: PolicySource;
  readonly #issuance: PolicySource;
  readonly #store: AuthorityStore;
  readonly #feed: BundleFeed;
  readonly #closing = new AbortController();
  readonly #preparing: () => void;
  #engine: { readonly bundle: PolicyBundle; readonly engine: PolicyEngine } | undefined;

  private constructor(
    options: LocalAuthorityOptions,
    policies: PolicySource,
    issuance: PolicySource,
    store: AuthorityStore,
    feed: BundleFeed,
  ) {
    this.#options = options;
    this.#policies = policies;
    this.#issuance = issuance;
    this.#store = store;
    this.#feed = feed;
    void this.#watchIssuance();
    // The first session is about to ask for it, and whoever started this one waits for others now.
    this.#preparing = after(0, () => void this.#issuanceEngine());
  }

  /**
   * Starts the Authority. Fails, with everything that is wrong, when a policy
   * directory holds no valid bundle or the store cannot be used.
   */
  static async open(options: LocalAuthorityOptions): Promise<Result<LocalAuthority, FirmaError[]>> {
    offerCedar(readCedar);
    const schema = schemaText();
    const ttlMs = options.bundleTtlMs;
    const onWarning = (warning: FirmaError) => options.onNotice?.(warning);
    const { known, wasRemoved } = options;
    const base = { schema, ttlMs, onWarning, known, wasRemoved };
    const [policies, issuance, store] = await Promise.all([
      PolicySource.open({
        ...base,
        directory: options.policyDir,
        mappingRulesPaths: options.mappingRulesPaths ?? [],
      }),
      PolicySource.open({ ...base, directory: options.issuancePolicyDir }),
      options.openStore(),
    ]);
    const errors: FirmaError[] = [];
    if (policies.ok && issuance.ok && store.ok) {
      const source = policies.value;
      const feed = await BundleFeed.open({ source, store: store.value, onNotice: onWarning });
      if (feed.ok) {
        return ok(new LocalAuthority(options, source, issuance.value, store.value, feed.value));
      }
      errors.push(feed.error);
    }
    for (const part of [policies, issuance, store]) {
      if (part.ok) await part.value.close();
      else errors.push(...[part.error].flat());
    }
    return err(errors);
  }

  publicKey(): Promise<Uint8Array> {
    return Promise.resolve(this.#options.signingKey.publicKey);
  }

  async issueCapability(request: IssueCapabilityRequest): Promise<IssueCapabilityResponse> {
    const agent = await this.resolveAgent(request.agentId);
    const grant = agent.ok ? await this.issue({ ...request, agentId: agent.value }) : agent;
    if (grant.ok) return { granted: true, token: grant.value.token };
    return { granted: false, denyReason: grant.error.code, denyMessage: grant.error.message };
  }

  /** The identifier of an agent that is given by it, or by the name that it is registered with. */
  async resolveAgent(agent: string): Promise<Result<string>> {
    if (!isAgentName(agent)) return ok(agent);
    const { agentNamed } = this.#options;
    const found = agentNamed === undefined
      ? (await this.#store.listAgents()).find(({ name }) => name === agent)
      : await agentNamed(agent);
    return found ? ok(found.id) : refusal("AGENT_NOT_REGISTERED", notRegistered(agent));
  }

  /**
   * Issues a token for what is both asked for and permitted. The code of the
   * error is the reason of the refusal.
   *
   * @throws When the store is out of reach
   */
  async issue(request: IssueCapabilityRequest): Promise<Result<Grant>> {
    const demand = parseIssuance(request);
    if (!demand.ok) return demand;
    const { registeredAgentsOnly = false, signingKey } = this.#options;
    const { agentId, sessionId } = demand.value;
    const claims = this.#claims(demand.value);
    if (!claims.ok) {
      // What is permitted concerns registered agents alone; others hear that they are none.
      const isKnown = !registeredAgentsOnly || await this.#store.findAgent(agentId) !== undefined;
      return isKnown ? claims : refusal("AGENT_NOT_REGISTERED", notRegistered(agentId));
    }
    const { token_id: tokenId, issued_at: issuedAt, expiry } = claims.value;
    const issued = { tokenId, agentId, sessionId, issuedAt, expiry };
    // The agent is looked up where the token is recorded: a store far away is asked once.
    const recorded = await this.#store.recordToken(issued, registeredAgentsOnly);
    if (recorded === "AGENT_NOT_REGISTERED") return refusal(recorded, notRegistered(agentId));
    if (recorded === "SESSION_REVOKED") {
      return refusal(recorded, `a token of session "${sessionId}" is revoked`);
    }
    const token = await issueToken(claims.value, signingKey.webKey ?? signingKey.privateKey);
    return ok({ token, claims: claims.value });
  }

  async issueIdentityToken(request: IdentityTokenRequest): Promise<Result<string>> {
    // Seldom wanted, so that not every start loads it.
    const { checkAudience, IDENTITY_LIFE_MS, refused, signIdentity } = await import(
      "./identity/identity_issuer.ts"
    );
    const config = checkAudience(this.#options.identity, request.audience);
    if (!config.ok) return config;
    const { agentId, sessionId } = request;
    if (!isId("agt", agentId) || !isSessionName(sessionId)) {
      return refused("INVALID_REQUEST", "agent or session are no names");
    }
    const nowMs = Date.now();
    const tokenId = newId("ctok", nowMs);
    const issuedAt = new Date(nowMs).toISOString();
    const expiry = new Date(nowMs + IDENTITY_LIFE_MS).toISOString();
    try {
      // Whoever revokes a token of a session means that it gets nothing any more, this neither.
      const issued = { tokenId, agentId, sessionId, issuedAt, expiry };
      const { registeredAgentsOnly = false } = this.#options;
      const recorded = await this.#store.recordToken(issued, registeredAgentsOnly);
      if (recorded === "AGENT_NOT_REGISTERED") return refused(recorded, notRegistered(agentId));
      if (recorded === "SESSION_REVOKED") {
        return refused(recorded, `a token of session "${sessionId}" is revoked`);
      }
      return await signIdentity(config.value, { ...request, tokenId }, nowMs);
    } catch {
      return refused("AUTHORITY_UNAVAILABLE", "the Authority's store or keys are out of reach");
    }
  }

  watchPolicyBundle(signal: AbortSignal): AsyncIterable<BundleUpdate> {
    return this.#feed.updates(signal);
  }

  watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]> {
    return this.#store.watchRevocations(signal);
  }

  /** The bundle in force; `undefined` when there is none and everything is denied. */
  get bundle(): PolicyBundle | undefined {
    return this.#feed.bundle;
  }

  /** Stops watching files. Streams stay open, and hear nothing any more. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#preparing();
    await Promise.all([this.#feed.close(), this.#policies.close(), this.#issuance.close()]);
    await this.#store.close();
  }

  #claims(demand: IssuanceDemand): Result<CapabilityClaims> {
    const nowMs = Date.now();
    const { agentId, sessionId, resourceScope, ttlSeconds } = demand;
    const bundle = this.#feed.bundle;
    const engine = this.#issuanceEngine();
    if (bundle === undefined || engine === undefined) {
      return refusal("NO_POLICIES", "there are no policies");
    }
    const actions = permittedActions(engine, demand, nowMs);
    if (!actions.ok) return actions;
    const { maxTtlMs } = this.#options;
    const ttlMs = ttlSeconds <= 0 ? maxTtlMs : Math.min(ttlSeconds * 1000, maxTtlMs);
    return ok({
      token_id: newId("ctok", nowMs),
      agent_id: agentId,
      session_id: sessionId,
      action_set: actions.value,
      resource_scope: resourceScope,
      issued_at: new Date(nowMs).toISOString(),
      expiry: new Date(nowMs + ttlMs).toISOString(),
      context_hash: contextHash(demand, actions.value, bundle.version),
      policy_bundle_version: bundle.version,
    });
  }

  #issuanceEngine(): PolicyEngine | undefined {
    const bundle = this.#issuance.bundle;
    if (bundle === undefined) return undefined;
    if (this.#engine?.bundle !== bundle) {
      const created = PolicyEngine.create(bundle);
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

function notRegistered(agentId: string): string {
  return `agent "${agentId}" is not registered`;
}
