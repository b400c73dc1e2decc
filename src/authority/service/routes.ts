import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  Code,
  ConnectError,
  type ConnectRouter,
  createContextKey,
  type HandlerContext,
} from "@connectrpc/connect";
import { FirmaException } from "../../core/result.ts";
import { parseTimestamp } from "../../core/timestamp.ts";
import { TokenFormat } from "../../proto/firma/v1/capability_pb.ts";
import {
  AuthorityService,
  type IssueCapabilityRequest,
  type IssueCapabilityResponse,
  IssueCapabilityResponseSchema,
  IssueDecision,
  type IssueIdentityTokenRequest,
  type IssueIdentityTokenResponse,
  IssueIdentityTokenResponseSchema,
} from "../../proto/firma/v1/authority_pb.ts";
import type { Grant, LocalAuthority } from "../local_authority.ts";
import { refused } from "../identity/identity_issuer.ts";
import type { SidecarCredentials } from "../pre_shared_key.ts";
import { type AuditParts, auditRoutes } from "./audit_routes.ts";
import type { Client } from "./client.ts";
import { BundleMessages } from "./bundle_messages.ts";
import type { PreSharedKeys } from "./pre_shared_keys.ts";
import { RevocationMessages } from "./revocation_messages.ts";
import type { RevocationFeed } from "./revocation_feed.ts";
import type { SigningKey } from "../../pki/signing_key.ts";

/** Who sent a request; set by the listener, never by what the request says. */
export const CLIENT = createContextKey<Client | undefined>(undefined, {
  description: "the client that a connection belongs to",
});

/** What the service is made of. */
export interface RouteOptions {
  readonly authority: LocalAuthority;
  readonly revocations: RevocationFeed;
  readonly signingKey: SigningKey;
  /** What clients have to know beside having a certificate; `undefined`: nothing. */
  readonly preSharedKeys: PreSharedKeys | undefined;
  /** Told of a client whose pre-shared key is not right, and why. */
  readonly onRefused: (client: Client, reason: string) => void;
  /** Told what went wrong inside while a request was answered. */
  readonly onFault: (what: string, cause: unknown) => void;
  /** Ends every stream when the service ends. */
  readonly closing: AbortSignal;
  /** What takes audit logs in; `undefined`: nothing does. */
  readonly audit?: AuditParts | undefined;
}

/** `firma.v1.AuthorityService` and what goes with it, for the router of Connect. */
export function authorityRoutes(options: RouteOptions): (router: ConnectRouter) => void {
  const bundles = new BundleMessages(options.signingKey.privateKey);
  const revocations = new RevocationMessages();
  const { audit, onFault } = options;
  const auditService = audit &&
    auditRoutes({
      ...audit,
      admit: (context, request) => admit(options, context, request).client,
      onFault,
    });
  return (router) => {
    auditService?.(router);
    router.service(AuthorityService, {
      async issueCapability(request, context) {
        const { client } = admit(options, context, request);
        return await issue(options, request, client);
      },
      async issueIdentityToken(request, context) {
        const { client } = admit(options, context, request);
        return await identify(options, request, client);
      },
      async *watchPolicyBundle(request, context) {
        const { withdrawn } = admit(options, context, request);
        const signal = untilEnd(options, context, withdrawn);
        yield* bundles.stream(options.authority.watchPolicyBundle(signal), request);
        endOfStream(options.closing, withdrawn);
      },
      async *watchRevocations(request, context) {
        const { withdrawn } = admit(options, context, request);
        const signal = untilEnd(options, context, withdrawn);
        const nanos = request.since?.nanos ?? 0;
        if (nanos < 0 || nanos > 999_999_999) {
          throw new ConnectError("since.nanos is out of range", Code.InvalidArgument);
        }
        yield* revocations.stream(options.revocations.beats(signal), request);
        endOfStream(options.closing, withdrawn);
      },
    });
  };
}

/** A stream that the Authority ends says so, so that its client comes again, perhaps to another. */
function endOfStream(closing: AbortSignal, withdrawn: AbortSignal | undefined): void {
  if (withdrawn?.aborted) throw unauthenticated("the pre-shared key is right no longer");
  if (closing.aborted) throw new ConnectError("the Authority is closing", Code.Unavailable);
}

function unauthenticated(state: string): ConnectError {
  return new ConnectError(state, Code.Unauthenticated);
}

/** Who asks. */
interface Admitted {
  readonly client: Client;
  /** Aborts when the client's pre-shared key is right no longer. */
  readonly withdrawn: AbortSignal | undefined;
}

function admit(
  { preSharedKeys, onRefused }: RouteOptions,
  context: HandlerContext,
  { credentials }: { readonly credentials?: SidecarCredentials | undefined },
): Admitted {
  const client = context.values.get(CLIENT);
  // Nothing reaches this without a client; should it ever, it gets nothing.
  if (client === undefined) throw unauthenticated("unknown client");
  const checked = preSharedKeys?.check(credentials);
  if (checked?.ok === false) {
    onRefused(client, checked.error);
    throw unauthenticated("the pre-shared key is missing or not right");
  }
  return { client, withdrawn: checked?.value };
}

/** Aborts when a stream is to end. */
function untilEnd(
  { closing }: RouteOptions,
  context: HandlerContext,
  withdrawn: AbortSignal | undefined,
): AbortSignal {
  return AbortSignal.any([context.signal, closing, ...(withdrawn ? [withdrawn] : [])]);
}

async function issue(
  { authority, onFault }: RouteOptions,
  request: IssueCapabilityRequest,
  client: Client,
): Promise<IssueCapabilityResponse> {
  try {
    const agent = await authority.resolveAgent(request.agentId);
    // A name that there is not is nothing that a client with a list of agents may ask about.
    if (client.agents !== undefined && !(agent.ok && client.agents.includes(agent.value))) {
      return denied(
        "AGENT_NOT_PERMITTED",
        `Cannot issue a capability token: client "${client.name}" may not ask for agent ` +
          `"${request.agentId}"`,
      );
    }
    if (!agent.ok) return denied(agent.error.code, agent.error.message);
    const grant = await authority.issue({
      agentId: agent.value,
      sessionId: request.sessionId,
      requestedActions: request.requestedActions,
      resourceScope: request.resourceScope,
      requestedTtlSeconds: request.requestedTtlSeconds,
    });
    return grant.ok ? granted(grant.value) : denied(grant.error.code, grant.error.message);
  } catch (cause) {
    onFault("IssueCapability", cause);
    const reason = cause instanceof FirmaException ? cause.error.code : "STORE_UNREACHABLE";
    throw new ConnectError(reason, Code.Unavailable);
  }
}

async function identify(
  { authority }: RouteOptions,
  { agentId, sessionId, audience }: IssueIdentityTokenRequest,
  client: Client,
): Promise<IssueIdentityTokenResponse> {
  const isPermitted = client.agents === undefined || client.agents.includes(agentId);
  const token = isPermitted
    ? await authority.issueIdentityToken({ agentId, sessionId, audience })
    : refused("AGENT_NOT_PERMITTED", `client "${client.name}" may not ask for agent "${agentId}"`);
  return create(
    IssueIdentityTokenResponseSchema,
    token.ok
      ? { idToken: token.value }
      : { denyReason: token.error.code, denyMessage: token.error.message },
  );
}

function granted({ token, claims }: Grant): IssueCapabilityResponse {
  const time = (text: string) => timestampFromMs(parseTimestamp(text)!);
  return create(IssueCapabilityResponseSchema, {
    granted: true,
    decision: IssueDecision.ALLOW,
    token: {
      tokenId: claims.token_id,
      agentId: claims.agent_id,
      sessionId: claims.session_id,
      actionSet: [...claims.action_set],
      resourceScope: [...claims.resource_scope],
      issuedAt: time(claims.issued_at),
      expiry: time(claims.expiry),
      contextHash: claims.context_hash,
      signature: new TextEncoder().encode(token),
      format: TokenFormat.PASETO_V4,
      policyBundleVersion: claims.policy_bundle_version,
    },
  });
}

function denied(denyReason: string, denyMessage: string): IssueCapabilityResponse {
  return create(IssueCapabilityResponseSchema, {
    granted: false,
    decision: IssueDecision.DENY,
    denyReason,
    denyMessage,
  });
}
