import type { FieldList } from "../../net/http/exchange.ts";
import type { CredentialRecord } from "../../core/event.ts";
import type { ForwardVerdict } from "../gate.ts";
import type { OutgoingRequest, UpstreamResponse } from "../transport/upstream.ts";

/**
 * Puts credentials into calls on their way out, and takes them out of answers. The transport asks
 * it about every call that is let out, whichever host it goes to.
 */
export interface CallCredentials {
  /**
   * The request as it goes out: credentials added, placeholders swapped. Throws or rejects with
   * an `UpstreamFailure` of reason `CREDENTIAL_INJECTION_FAILED`, and nothing leaves.
   */
  outgoing(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
  ): OutgoingRequest | Promise<OutgoingRequest>;
  /** The answer as the agent may see it. Throws or rejects with an `UpstreamFailure` where there is none. */
  incoming(
    response: UpstreamResponse,
    verdict: ForwardVerdict,
  ): UpstreamResponse | Promise<UpstreamResponse>;
  /** The fields of an interim answer (1xx) as the agent may see them. Throws like `incoming`. */
  interim(fields: FieldList, verdict: ForwardVerdict): FieldList;
  /**
   * The call has ended: what its record says of the credential that it went out with. Called once
   * for each call that `outgoing` was asked about; nothing of the call is kept after it.
   */
  ended(verdict: ForwardVerdict): CredentialRecord | undefined;
}

/** These, once there is anything that they are for; until then, calls and answers stay as they are. */
export function onceNeeded(isNeeded: () => boolean, needed: CallCredentials): CallCredentials {
  const now = () => isNeeded() ? needed : NO_CREDENTIALS;
  return {
    outgoing: (request, verdict) => now().outgoing(request, verdict),
    incoming: (response, verdict) => now().incoming(response, verdict),
    interim: (fields, verdict) => now().interim(fields, verdict),
    ended: (verdict) => now().ended(verdict),
  };
}

/** Calls go out with what the agent sent, and answers come back as they are. */
export const NO_CREDENTIALS: CallCredentials = {
  outgoing: (request) => request,
  incoming: (response) => response,
  interim: (fields) => fields,
  ended: () => undefined,
};
