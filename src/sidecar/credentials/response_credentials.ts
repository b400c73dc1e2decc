import type { CredentialRecord } from "../../core/event.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import type { SessionSecrets } from "../../secrets/session_secrets.ts";
import type { ForwardVerdict } from "../gate.ts";
import type { OutgoingRequest, UpstreamResponse } from "../transport/upstream.ts";
import type { CallCredentials } from "./call_credentials.ts";
import { maskedInterim, maskedResponse, searchableRequest } from "./response.ts";

/** Whose secrets are looked for. */
export interface MaskingOptions {
  /** Of the session of a call; `undefined` where it can never be handed any, which then costs nothing. */
  secretsOf(sessionId: string): SessionSecrets | undefined;
  /** Whether the host of a call knows secrets of its session. */
  knowsSecrets(verdict: ForwardVerdict): boolean;
}

/** Takes out of answers what any call of their session was handed, whichever host answers. */
export class MaskingCredentials implements CallCredentials {
  readonly #inner: CallCredentials;
  readonly #options: MaskingOptions;

  /** `inner` hands out; it sees answers as they came. */
  constructor(inner: CallCredentials, options: MaskingOptions) {
    this.#inner = inner;
    this.#options = options;
  }

  outgoing(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
  ): OutgoingRequest | Promise<OutgoingRequest> {
    const equipped = this.#inner.outgoing(request, verdict);
    if (this.#options.secretsOf(verdict.sessionId) === undefined) return equipped;
    const strict = this.#options.knowsSecrets(verdict);
    return equipped instanceof Promise
      ? equipped.then((ready) => searchableRequest(ready, { strict }))
      : searchableRequest(equipped, { strict });
  }

  incoming(response: UpstreamResponse, verdict: ForwardVerdict): UpstreamResponse {
    const seen = this.#inner.incoming(response, verdict);
    const secrets = this.#options.secretsOf(verdict.sessionId);
    if (secrets === undefined) return seen;
    return maskedResponse(seen, secrets, { strict: this.#options.knowsSecrets(verdict) });
  }

  interim(fields: FieldList, verdict: ForwardVerdict): FieldList {
    const seen = this.#inner.interim(fields, verdict);
    const secrets = this.#options.secretsOf(verdict.sessionId);
    return secrets === undefined ? seen : maskedInterim(seen, secrets);
  }

  ended(verdict: ForwardVerdict): CredentialRecord | undefined {
    return this.#inner.ended(verdict);
  }
}
