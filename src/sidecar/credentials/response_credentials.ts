import type { CredentialRecord } from "../../core/event.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import type { ForwardVerdict } from "../gate.ts";
import {
  type OutgoingRequest,
  UpstreamFailure,
  type UpstreamResponse,
} from "../transport/upstream.ts";
import type { CallCredentials } from "./call_credentials.ts";
import { type CredentialTarget, isForHost } from "./request_judge.ts";
import { maskedInterim, maskedResponse, searchableRequest } from "./response.ts";
import type { SecretsOfSessions } from "./response_secrets.ts";

/** Takes out of answers what their session was ever handed, whichever host answers. */
export class MaskingCredentials implements CallCredentials {
  readonly #inner: CallCredentials;
  readonly #secrets: SecretsOfSessions;
  readonly #targets: readonly CredentialTarget[];

  /** `inner` hands out, and sees answers as they came; `targets` are where credentials go. */
  constructor(
    inner: CallCredentials,
    secrets: SecretsOfSessions,
    targets: readonly CredentialTarget[],
  ) {
    this.#inner = inner;
    this.#secrets = secrets;
    this.#targets = targets;
  }

  outgoing(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
  ): OutgoingRequest | Promise<OutgoingRequest> {
    const equipped = this.#inner.outgoing(request, verdict);
    return equipped instanceof Promise
      ? equipped.then((ready) => this.#searchable(ready, verdict))
      : this.#searchable(equipped, verdict);
  }

  incoming(response: UpstreamResponse, verdict: ForwardVerdict): UpstreamResponse {
    const seen = this.#inner.incoming(response, verdict);
    const strict = this.#knowsSecrets(verdict);
    return maskedResponse(seen, this.#secrets.of(verdict.sessionId), { strict });
  }

  interim(fields: FieldList, verdict: ForwardVerdict): FieldList {
    const seen = this.#inner.interim(fields, verdict);
    return maskedInterim(seen, this.#secrets.of(verdict.sessionId));
  }

  ended(verdict: ForwardVerdict): CredentialRecord | undefined {
    return this.#inner.ended(verdict);
  }

  #searchable(request: OutgoingRequest, verdict: ForwardVerdict): OutgoingRequest {
    const { need } = verdict;
    if (need !== undefined && this.#secrets.isTooShort(need.label)) {
      throw new UpstreamFailure(
        `the credential "${need.label}" is too short to be found in answers`,
        { reason: "CREDENTIAL_INJECTION_FAILED" },
      );
    }
    return searchableRequest(request, { strict: this.#knowsSecrets(verdict) });
  }

  /** Whether the host of a call is one that is given secrets, for this call or another. */
  #knowsSecrets({ call, need }: ForwardVerdict): boolean {
    return need !== undefined || this.#targets.some((target) => isForHost(target, call));
  }
}
