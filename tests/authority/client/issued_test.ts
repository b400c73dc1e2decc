import { create, type MessageInitShape } from "@bufbuild/protobuf";
import assert from "node:assert/strict";
import { backoffMs } from "../../../src/core/backoff.ts";
import { readIssued } from "../../../src/authority/client/issued.ts";
import {
  IssueCapabilityResponseSchema,
  IssueDecision,
} from "../../../src/proto/firma/v1/authority_pb.ts";
import { TokenFormat } from "../../../src/proto/firma/v1/capability_pb.ts";

function said(response: MessageInitShape<typeof IssueCapabilityResponseSchema>): string {
  const answer = readIssued(create(IssueCapabilityResponseSchema, response));
  return answer.granted ? answer.token : answer.denyReason;
}

const signature = new TextEncoder().encode("v4.public.x");
const token = { signature, format: TokenFormat.PASETO_V4 };

Deno.test("readIssued() believes no answer that contradicts itself", async (t) => {
  const { ALLOW, DENY, PENDING_APPROVAL } = IssueDecision;
  const approval = { approvalId: "a", approvalUrl: "https://a.test", approvalExpiry: {} };
  const cases: Record<string, [Parameters<typeof said>[0], string]> = {
    "granted": [{ granted: true, decision: ALLOW, token }, "v4.public.x"],
    "granted without a decision": [{ granted: true, token }, "v4.public.x"],
    "denied": [{ decision: DENY, denyReason: "NO_POLICIES" }, "NO_POLICIES"],
    "denied without a decision": [{ denyReason: "NO_POLICIES" }, "NO_POLICIES"],
    "pending": [{ decision: PENDING_APPROVAL, ...approval }, "PENDING_APPROVAL"],
    "allowed and not granted": [{ decision: ALLOW }, "ANSWER_INVALID"],
    "denied and granted": [{ granted: true, decision: DENY, token }, "ANSWER_INVALID"],
    "pending and granted": [
      { granted: true, decision: PENDING_APPROVAL, token, ...approval },
      "ANSWER_INVALID",
    ],
    "pending without its id": [
      { decision: PENDING_APPROVAL, ...approval, approvalId: "" },
      "ANSWER_INVALID",
    ],
    "an unknown decision": [{ decision: 9 as IssueDecision }, "ANSWER_INVALID"],
    "granted without a token": [{ granted: true, decision: ALLOW }, "ANSWER_INVALID"],
    "another kind of token": [
      { granted: true, decision: ALLOW, token: { signature, format: TokenFormat.JWT_RS256 } },
      "ANSWER_INVALID",
    ],
  };
  for (const [name, [response, expected]] of Object.entries(cases)) {
    await t.step(name, () => assert.equal(said(response), expected));
  }
});

Deno.test("backoffMs() doubles within its bounds, half by chance", () => {
  const bounds = { minBackoffMs: 100, maxBackoffMs: 1_000 };
  const waits = [1, 2, 3, 4, 5, 50].map((failures) => backoffMs(failures, bounds, 0.5));
  assert.deepEqual(waits, [100, 200, 400, 800, 1_000, 1_000]);
  assert.equal(backoffMs(1, bounds, 0), 50);
  assert.ok(backoffMs(1, bounds, 1) <= 150);
});
