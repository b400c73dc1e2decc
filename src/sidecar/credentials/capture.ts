import type { Issued } from "../../broker/hand_out.ts";
import { disarmedJwt } from "../../secrets/sign_in/disarmed_jwt.ts";
import { type SignInService, TOKEN_ROLES, type TokenRole } from "../../secrets/sign_in/services.ts";
import type { ForwardVerdict } from "../gate.ts";
import {
  type OutgoingRequest,
  UpstreamFailure,
  type UpstreamResponse,
} from "../transport/upstream.ts";
import { captureAnswer } from "./capture_answer.ts";
import { readGrant } from "./capture_grant.ts";
import { Turns } from "./capture_turns.ts";
import type { HandOuts } from "./hand_outs.ts";
import { BytesBody, readWhole } from "./request_bodies.ts";
import type { PlaceholderDesk } from "./request_desk.ts";
import { capturesAt } from "./request_judge.ts";
import { codingsOf, decodedContent } from "./response_coding.ts";
import { isOfTheBytes } from "./response_head.ts";

/** What a program asks for, in bytes. */
const LARGEST_REQUEST = 65_536;
/** What a service answers. */
const LARGEST_ANSWER = 262_144;

interface SignInCall {
  issued?: Issued;
  renews: boolean;
}

/**
 * Calls to token endpoints: what comes back stays with the broker, and the agent's program gets
 * placeholders, which it keeps and shows again when it renews.
 */
export class SignInCalls {
  readonly #handOuts: HandOuts;
  readonly #desk: PlaceholderDesk;
  readonly #turns = new Turns();
  /** By the event of the call's decision. */
  readonly #calls = new Map<string, SignInCall>();

  constructor(handOuts: HandOuts, desk: PlaceholderDesk) {
    this.#handOuts = handOuts;
    this.#desk = desk;
  }

  /** The request as it may go out, and what it goes out with. Rejects where nothing may leave. */
  async prepare(
    request: OutgoingRequest,
    verdict: ForwardVerdict,
  ): Promise<{ readonly request: OutgoingRequest; readonly issued: Issued }> {
    const { need, eventId, call, placeholders } = verdict;
    const { label, sessionId } = need!;
    const signIn: SignInCall = { renews: false };
    this.#calls.set(eventId, signIn);
    const grant = await readRequest(request);
    const shown = grant?.refreshToken;
    // Exactly that: what is around it, or in the query, could ask for another account.
    signIn.renews = shown !== undefined && call.query === "" &&
      shown === this.#desk.book.textOf(sessionId, label, TOKEN_ROLES.indexOf("refresh"));
    if (!signIn.renews && placeholders?.labels.length && this.#serviceOf(verdict)) {
      // It would use the token up, and nobody could say for whom.
      throw refused("it shows a token and is no plain renewal");
    }
    if (shown !== undefined) await this.#turns.take(label, eventId);
    const had = this.#handOuts.get(need!);
    const issued = had instanceof Promise ? await had : { ok: true as const, value: had };
    if (!issued.ok) {
      throw new UpstreamFailure(issued.error.message, { reason: "CREDENTIAL_INJECTION_FAILED" });
    }
    if (this.#calls.get(eventId) !== signIn) throw new UpstreamFailure("client went away");
    signIn.issued = issued.value;
    const body = grant && new BytesBody([grant.body], request.body!);
    return { request: { ...request, ...body && { body } }, issued: issued.value };
  }

  /** The answer with placeholders for its tokens, once the broker has those. */
  incoming(
    response: UpstreamResponse,
    verdict: ForwardVerdict,
  ): UpstreamResponse | Promise<UpstreamResponse> {
    const signIn = this.#calls.get(verdict.eventId);
    const service = this.#serviceOf(verdict);
    if (signIn === undefined || service === undefined) return response;
    return this.#capture(response, verdict, service, signIn);
  }

  /** The call has ended; `undefined` where it was none of these. */
  ended(eventId: string): Issued | undefined {
    const issued = this.#calls.get(eventId)?.issued;
    this.#calls.delete(eventId);
    this.#turns.leave(eventId);
    return issued;
  }

  async #capture(
    response: UpstreamResponse,
    { need, sessionId }: ForwardVerdict,
    service: SignInService,
    signIn: SignInCall,
  ): Promise<UpstreamResponse> {
    const { label, edition } = need!;
    const { status, fields } = response;
    if (response.upgraded !== undefined) throw kept("it is no answer");
    if (response.body === undefined) return response;
    const valuesOf = (name: string) => fields.filter(([key]) => key === name).map(([, v]) => v);
    const codings = codingsOf(valuesOf("content-encoding"));
    if (codings === undefined) throw kept("its content coding is not known");
    const decoded = decodedContent(response.body, codings);
    const content = await readWhole(decoded.body, LARGEST_ANSWER);
    decoded.close();
    if (content === undefined) throw kept(`it is larger than ${LARGEST_ANSWER} bytes`);
    const show = (role: TokenRole, token: string) => this.#shown(sessionId, label, role, token);
    const [contentType = ""] = valuesOf("content-type");
    const answer = captureAnswer({ status, contentType, content }, service, show, Date.now());
    if (!answer.ok) throw kept(answer.error);
    const { tokens, expiresAtMs, shown } = answer.value;
    if (Object.keys(tokens).length > 0) {
      const { renews } = signIn;
      const taken = await this.#handOuts.capture({
        ...{ label, edition, sessionId, renews, tokens },
        ...expiresAtMs !== undefined && { expiresAtMs },
      });
      if (!taken.ok) throw kept(taken.error.message);
      const { issued } = signIn;
      if (issued) signIn.issued = { ...issued, scope: `${issued.scope}: tokens captured` };
    }
    const keep = fields.flatMap(([name], index) =>
      name === "content-encoding" || isOfTheBytes(name) ? [] : [index]
    );
    return {
      ...response,
      fields: keep.map((index) => fields[index]!),
      spellings: response.spellings && keep.map((index) => response.spellings![index]!),
      body: new BytesBody([shown], response.body),
    };
  }

  /** The service, where what it answers to the call is tokens. */
  #serviceOf({ need, call }: ForwardVerdict): SignInService | undefined {
    const { targets } = this.#desk;
    return targets.find((each) => each.label === need!.label && capturesAt(each, call))?.signIn;
  }

  #shown(sessionId: string, label: string, role: TokenRole, token: string): string {
    const plain = role === "id" ? disarmedJwt(token) : undefined;
    const text = plain ?? this.#desk.book.textOf(sessionId, label, TOKEN_ROLES.indexOf(role));
    if (text === undefined) throw kept("its session has ended");
    return text;
  }
}

async function readRequest({ body, fields }: OutgoingRequest) {
  if (body === undefined) return undefined;
  const content = await readWhole(body, LARGEST_REQUEST);
  const grant = content && readGrant(content, fields);
  if (grant !== undefined) return grant;
  throw refused(
    content === undefined
      ? `it is larger than ${LARGEST_REQUEST} bytes`
      : "it can be read in two ways",
  );
}

function refused(why: string): UpstreamFailure {
  return new UpstreamFailure(`the request to sign in does not leave: ${why}`, {
    reason: "CREDENTIAL_CAPTURE_FAILED",
  });
}

function kept(why: string): UpstreamFailure {
  return new UpstreamFailure(`the answer to a sign-in is kept back: ${why}`, {
    reason: "CREDENTIAL_CAPTURE_FAILED",
  });
}
