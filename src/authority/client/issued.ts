import type { IssueCapabilityResponse } from "../../core/authority.ts";
import {
  type IssueCapabilityResponse as WireResponse,
  IssueDecision,
} from "../../proto/firma/v1/authority_pb.ts";
import { TokenFormat } from "../../proto/firma/v1/capability_pb.ts";

/** Reads the Authority's answer. One that contradicts itself grants nothing. */
export function readIssued(response: WireResponse): IssueCapabilityResponse {
  const { granted, token, decision, denyReason, denyMessage } = response;
  const isAllow = decision === IssueDecision.ALLOW || decision === IssueDecision.UNSPECIFIED;
  if (granted) {
    if (!isAllow) return contradiction("it is granted and decided otherwise");
    if (token === undefined || token.signature.length === 0) return contradiction("no token");
    if (token.format !== TokenFormat.PASETO_V4) return contradiction("not a PASETO v4 token");
    return { granted: true, token: new TextDecoder().decode(token.signature) };
  }
  if (decision === IssueDecision.ALLOW) return contradiction("it is allowed and not granted");
  if (decision === IssueDecision.PENDING_APPROVAL) {
    const { approvalId, approvalUrl, approvalExpiry } = response;
    if (!approvalId || !approvalUrl || approvalExpiry === undefined) {
      return contradiction("an approval without its id, address or end");
    }
    return {
      granted: false,
      denyReason: "PENDING_APPROVAL",
      denyMessage:
        `Cannot issue a capability token yet: somebody has to approve it: ${approvalUrl}`,
    };
  }
  if (decision !== IssueDecision.DENY && decision !== IssueDecision.UNSPECIFIED) {
    return contradiction(`decision ${decision}`);
  }
  return { granted: false, denyReason: denyReason || "UNKNOWN", denyMessage };
}

function contradiction(state: string): IssueCapabilityResponse {
  return {
    granted: false,
    denyReason: "ANSWER_INVALID",
    denyMessage: `Cannot use the Authority's answer: ${state}`,
  };
}
