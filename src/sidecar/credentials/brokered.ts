import type { AwsSigning, Issued } from "../../broker/hand_out.ts";
import type { CredentialRecord } from "../../core/event.ts";
import type { FieldList } from "../../net/http/exchange.ts";
import type { ForwardVerdict } from "../gate.ts";
import {
  type OutgoingRequest,
  UpstreamFailure,
  type UpstreamResponse,
} from "../transport/upstream.ts";
import { SignInCalls } from "./capture.ts";
import { signedForAws, unsignedCall } from "./aws_call.ts";
import type { CallCredentials } from "./call_credentials.ts";
import type { HandOuts } from "./hand_outs.ts";
import { PlaceholderDesk } from "./request_desk.ts";
import { swapMessages, type SwappedRequest, swapRequest } from "./request_swap.ts";

const UNAUTHORIZED = 401;

/** Adds what the broker hands out to the calls that it is for. */
export class BrokeredCredentials implements CallCredentials {
  readonly #handOuts: HandOuts;
  readonly #desk: PlaceholderDesk;
  readonly #signIns: SignInCalls;
  /** By the event of the call's decision. */
  readonly #used = new Map<string, { readonly issued: Issued; readonly wasKept: boolean }>();

  /** @param desk what is known of placeholders. @default no session has any */
  constructor(handOuts: HandOuts, desk: PlaceholderDesk = new PlaceholderDesk()) {
    this.#handOuts = handOuts;
    this.#desk = desk;
    this.#signIns = new SignInCalls(handOuts, desk);
  }

  outgoing(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
  ): OutgoingRequest | Promise<OutgoingRequest> {
    const { need } = verdict;
    if (need === undefined) return this.#swapped(request, verdict, [], ({ request }) => request);
    if (need.purpose === "sign-in") {
      return this.#signIns.prepare(request, verdict)
        .then(({ request, issued }) => this.#equip(request, verdict, issued, false));
    }
    const issued = this.#handOuts.get(need);
    if (!(issued instanceof Promise)) return this.#equip(request, verdict, issued, true);
    return issued.then((outcome) => {
      if (outcome.ok) return this.#equip(request, verdict, outcome.value, false);
      throw failure(outcome.error.message);
    });
  }

  incoming(
    response: UpstreamResponse,
    verdict: ForwardVerdict,
  ): UpstreamResponse | Promise<UpstreamResponse> {
    if (verdict.need?.purpose === "sign-in") return this.#signIns.incoming(response, verdict);
    const used = this.#used.get(verdict.eventId);
    const { upgraded } = response;
    if (upgraded !== undefined && this.#desk.search.longest > 0) {
      const toUpstream = swapMessages(verdict, this.#desk, used?.issued.secrets ?? []);
      return { ...response, upgraded: { ...upgraded, toUpstream } };
    }
    if (response.status !== UNAUTHORIZED) return response;
    // One that was fetched for this very call would not be better the next time.
    if (used?.wasKept) this.#handOuts.refused(used.issued);
    return response;
  }

  interim(fields: FieldList): FieldList {
    return fields;
  }

  ended({ eventId }: ForwardVerdict): CredentialRecord | undefined {
    const issued = this.#signIns.ended(eventId) ?? this.#used.get(eventId)?.issued;
    this.#used.delete(eventId);
    if (issued === undefined) return undefined;
    const { label, provider, scope, expiresAtMs } = issued;
    return {
      label,
      provider,
      scope,
      ...(expiresAtMs !== undefined && { expires_at: new Date(expiresAtMs).toISOString() }),
    };
  }

  #equip(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
    issued: Issued,
    wasKept: boolean,
  ): OutgoingRequest | Promise<OutgoingRequest> {
    const misled = misdirected(request, verdict, issued);
    if (misled !== undefined) throw failure(misled);
    this.#used.set(verdict.eventId, { issued, wasKept });
    if (issued.signing !== undefined) return this.#sign(request, verdict, issued.signing);
    return this.#swapped(request, verdict, issued.secrets, ({ request, headers }) =>
      // Where the agent put its placeholder itself, it knows how the secret is to be written.
      withHeaders(request, issued.headers.filter(([name]) => !headers.has(name))));
  }

  /** What signs calls is in none of them, so that no placeholder stands for it. */
  #sign(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
    signing: AwsSigning,
  ): OutgoingRequest | Promise<OutgoingRequest> {
    const call = unsignedCall(request, signing);
    if (!call.ok) throw unsignable(call.error);
    return this.#swapped(call.value.request, verdict, [], async ({ request }) => {
      const signed = await signedForAws(request, call.value.plan, signing, Date.now());
      if (signed.ok) return signed.value;
      throw unsignable(signed.error);
    });
  }

  #swapped(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
    secrets: readonly string[],
    finish: (swapped: SwappedRequest) => OutgoingRequest | Promise<OutgoingRequest>,
  ): OutgoingRequest | Promise<OutgoingRequest> {
    const swapped = swapRequest(request, verdict, this.#desk, secrets);
    return swapped instanceof Promise ? swapped.then(finish) : finish(swapped);
  }
}

/** A last look at where the call really goes: decided long ago, and by others. */
function misdirected(
  { scheme, authority }: OutgoingRequest,
  { need, route }: ForwardVerdict,
  { label }: Issued,
): string | undefined {
  const { host, port } = need!;
  const named = port === 443 ? host : `${host}:${port}`;
  const isThere = scheme === "https" && route.tls && route.host === host && route.port === port &&
    authority === named && label === need!.label;
  return isThere ? undefined : `the credential "${need!.label}" is not for where the call goes`;
}

/** The request with these headers, in place of all of the same names; without those that are empty. */
function withHeaders(request: OutgoingRequest, headers: Issued["headers"]): OutgoingRequest {
  const isReplaced = (name: string) => headers.some(([added]) => added === name);
  const added = headers.filter(([, value]) => value !== "");
  const kept = request.fields.flatMap(([name], index) => isReplaced(name) ? [] : [index]);
  return {
    ...request,
    fields: [
      ...kept.map((index) => request.fields[index]!),
      ...added.map(([n, v]) => [n, v] as [string, string]),
    ],
    spellings: request.spellings &&
      [...kept.map((index) => request.spellings![index]!), ...added.map(([name]) => name)],
  };
}

function unsignable(state: string): UpstreamFailure {
  return failure(`the call cannot be signed for AWS: ${state}`);
}

function failure(message: string): UpstreamFailure {
  return new UpstreamFailure(message, { reason: "CREDENTIAL_INJECTION_FAILED" });
}
