import { actionClasses } from "../core/action_class.ts";
import type { Authority } from "../core/authority.ts";
import type { CapabilityClaims } from "../core/capability.ts";
import { isId } from "../core/id.ts";
import { err, type FirmaError, type Result } from "../core/result.ts";
import { verifyToken } from "../capability/token.ts";

/** Whose token is wanted. */
export interface TokenOwner {
  /** `agt_…`, or a name that the Authority's registry knows. */
  readonly agent: string;
  readonly sessionId: string;
}

/** Asks for a token with everything that the Authority grants, and verifies it once. */
export async function obtainToken(
  authority: Authority,
  { agent, sessionId }: TokenOwner,
): Promise<Result<CapabilityClaims>> {
  try {
    const answer = await authority.issueCapability({
      agentId: agent,
      sessionId,
      requestedActions: actionClasses().map(({ name }) => name),
      resourceScope: ["**"],
      requestedTtlSeconds: 0,
    });
    if (!answer.granted) return err(denied(answer.denyReason, answer.denyMessage, agent));
    const claims = await verifyToken(answer.token, await authority.publicKey());
    if (!claims.ok) return claims;
    const { agent_id, session_id } = claims.value;
    // Whom a name stands for is the Authority's to say.
    const isOwners = isId("agt", agent) ? agent_id === agent : isId("agt", agent_id);
    if (isOwners && session_id === sessionId) return claims;
    return err({
      code: "TOKEN_INVALID",
      message: "Cannot use the capability token: it was issued for another session",
    });
  } catch (cause) {
    return err({
      code: "AUTHORITY_UNAVAILABLE",
      message: `Cannot obtain a capability: ${cause instanceof Error ? cause.message : cause}`,
      cause,
    });
  }
}

/** What helps against the reasons of a refusal that have nothing to do with policy. */
const CURES: Readonly<Record<string, (agent: string) => string>> = {
  AGENT_NOT_REGISTERED: (agent) =>
    isId("agt", agent)
      ? `where the Authority runs: firma authority agents add NAME --id ${agent}`
      : `where the Authority runs: firma authority agents add ${agent}`,
  AGENT_NOT_PERMITTED: (agent) =>
    `name ${agent} in the entry of this client in authorized_clients_path`,
  AUTHORITY_UNAVAILABLE: () => "start the Authority, or look at its output",
  INVALID_REQUEST: () => "declare the same [[action_classes]] here and where the Authority runs",
};

function denied(reason: string, message: string, agent: string): FirmaError {
  const cure = Object.hasOwn(CURES, reason) ? CURES[reason]!(agent) : undefined;
  return {
    code: "CAPABILITY_DENIED",
    message: `Cannot obtain a capability: ${message} (${reason})`,
    cure: cure ?? "permit at least one action in the issuance policy",
  };
}
