import type { CredentialRecord } from "../../core/event.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import {
  type SecretStore,
  type StoreVerdict,
  storeVerdict,
} from "../../secrets/store/secret_store.ts";
import type { StoredValue } from "../../secrets/learnt.ts";
import type { LearntValue } from "../../secrets/store/rewrite_answer.ts";
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

/** Which hosts know secrets. */
export interface MaskingOptions {
  /** Where credentials go, or went. */
  readonly targets: () => readonly CredentialTarget[];
  /** Where secrets come from. */
  readonly stores: readonly SecretStore[];
  /** A larger answer of a store passes on nothing. */
  readonly maxStoreAnswerBytes: number;
  /**
   * Hears of values that a session is about to be shown placeholders of; the answer goes on when that
   * has resolved. @default nobody
   */
  readonly learnt?: (sessionId: string, values: readonly StoredValue[]) => Promise<void>;
}

/** Takes out of answers what their session was ever handed, whichever host answers. */
export class MaskingCredentials implements CallCredentials {
  readonly #inner: CallCredentials;
  readonly #secrets: SecretsOfSessions;
  readonly #options: MaskingOptions;
  /** What stores said of calls under way, by the event of their decision. */
  readonly #fromStores = new Map<string, StoreVerdict>();

  /** `inner` hands out, and sees answers as they came. */
  constructor(inner: CallCredentials, secrets: SecretsOfSessions, options: MaskingOptions) {
    this.#inner = inner;
    this.#secrets = secrets;
    this.#options = options;
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

  incoming(
    response: UpstreamResponse,
    verdict: ForwardVerdict,
  ): UpstreamResponse | Promise<UpstreamResponse> {
    const seen = this.#inner.incoming(response, verdict);
    return seen instanceof Promise
      ? seen.then((shown) => this.#masked(shown, verdict))
      : this.#masked(seen, verdict);
  }

  #masked(seen: UpstreamResponse, verdict: ForwardVerdict): UpstreamResponse {
    const secrets = this.#secrets.of(verdict.sessionId);
    const store = this.#fromStores.get(verdict.eventId);
    return maskedResponse(seen, secrets, {
      strict: this.#knowsSecrets(verdict),
      ...store?.kind === "sensitive" &&
        {
          store: {
            rule: store.rule,
            limit: this.#options.maxStoreAnswerBytes,
            learnt: (values) => this.#learnt(verdict.sessionId, store.store, values),
          },
        },
    });
  }

  async #learnt(
    sessionId: string,
    { id: store }: SecretStore,
    values: readonly LearntValue[],
  ): Promise<void> {
    await this.#options.learnt?.(
      sessionId,
      values.map((value) => ({ kind: "stored", store, ...value })),
    );
  }

  interim(fields: FieldList, verdict: ForwardVerdict): FieldList {
    const seen = this.#inner.interim(fields, verdict);
    return maskedInterim(seen, this.#secrets.of(verdict.sessionId));
  }

  ended(verdict: ForwardVerdict): CredentialRecord | undefined {
    this.#fromStores.delete(verdict.eventId);
    return this.#inner.ended(verdict);
  }

  #searchable(request: OutgoingRequest, verdict: ForwardVerdict): OutgoingRequest {
    const { need } = verdict;
    if (need !== undefined && this.#secrets.isTooShort(need)) {
      throw new UpstreamFailure(
        `the credential "${need.label}" is too short to be found in answers`,
        { reason: "CREDENTIAL_INJECTION_FAILED" },
      );
    }
    const { call: { host, method, path }, eventId } = verdict;
    const { fields } = request;
    const said = storeVerdict(this.#options.stores, { host, method, path, fields });
    if (said?.kind === "blocked") {
      throw new UpstreamFailure(`the secret store "${said.store.id}" has no rule for the call`);
    }
    if (said !== undefined) this.#fromStores.set(eventId, said);
    return searchableRequest(request, { strict: this.#knowsSecrets(verdict) });
  }

  /** Whether the host of a call is one that is given secrets, for this call or another. */
  #knowsSecrets({ call, need, eventId }: ForwardVerdict): boolean {
    return need !== undefined || this.#fromStores.has(eventId) ||
      this.#options.targets().some((target) => isForHost(target, call));
  }
}
