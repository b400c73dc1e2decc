import type { AwsSigning } from "../../broker/hand_out.ts";
import type { Body } from "../../net/byte_source.ts";
import { ReplayBody } from "../../net/http/replay_body.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { sha256Hex } from "../../secrets/sigv4/canonical.ts";
import { resign, type SigningPlan, signingPlan } from "../../secrets/sigv4/resign.ts";
import { REPLACED } from "../../secrets/sigv4/signature.ts";
import type { OutgoingRequest } from "../transport/upstream.ts";

/** Bodies that no hash was sent with are read whole; what signs such calls sends small ones. */
const LARGEST_HASHED = 4 * 1024 * 1024;

/** A request without the agent's signature, and how it is to be signed. */
export interface UnsignedCall {
  readonly request: OutgoingRequest;
  readonly plan: SigningPlan;
}

/** Takes the agent's signature from a request. The error says why it cannot be signed anew. */
export function unsignedCall(
  request: OutgoingRequest,
  signing: AwsSigning,
): Result<UnsignedCall, string> {
  const plan = signingPlan(request, signing);
  if (!plan.ok) return plan;
  const kept = request.fields.flatMap(([name], index) => REPLACED.has(name) ? [] : [index]);
  const { fields, spellings } = request;
  return ok({
    plan: plan.value,
    request: {
      ...request,
      fields: kept.map((index) => fields[index]!),
      spellings: spellings && kept.map((index) => spellings[index]!),
    },
  });
}

/**
 * The request, signed with the keys of a role. The error says why it cannot be. Nothing that is
 * signed may change afterwards.
 */
export async function signedForAws(
  request: OutgoingRequest,
  plan: SigningPlan,
  signing: AwsSigning,
  nowMs: number,
): Promise<Result<OutgoingRequest, string>> {
  const hashed = plan.payloadHash === undefined
    ? await hashOf(request.body)
    : ok({ body: request.body, payloadHash: plan.payloadHash });
  if (!hashed.ok) return hashed;
  const { body, payloadHash } = hashed.value;
  const fields = resign(request, signing, { ...plan, payloadHash, nowMs });
  const added = fields.slice(request.fields.length).map(([name]) => name);
  return ok({
    ...request,
    body,
    fields,
    spellings: request.spellings && [...request.spellings, ...added],
  });
}

/** The body's hash, and the body as if it had not been read. */
async function hashOf(
  body: Body | undefined,
): Promise<Result<{ readonly body: Body | undefined; readonly payloadHash: string }, string>> {
  if (body === undefined) return ok({ body, payloadHash: sha256Hex("") });
  const replay = body instanceof ReplayBody ? body : new ReplayBody(body, () => {});
  const bytes = await replay.readAhead(LARGEST_HASHED);
  if (bytes !== undefined) return ok({ body: replay, payloadHash: sha256Hex(bytes) });
  return err("its body is longer than 4 MiB and comes without x-amz-content-sha256");
}
