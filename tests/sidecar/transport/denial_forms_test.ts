import assert from "node:assert/strict";
import type { DenialForm, DenyProblem } from "../../../src/core/problem.ts";
import { denialResponse } from "../../../src/sidecar/transport/denial_forms.ts";

const PROBLEM: DenyProblem = {
  type: "urn:firma:deny:PolicyDenied",
  title: "Denied by policy",
  status: 403,
  detail: "firma refused it.",
  denied: true,
  reason: "PolicyDenied",
  action_class: "code.write",
  event_id: "aevt_1",
};

function answer(form?: DenialForm): { status: number; type: string; body: string } {
  const { status, fields, body } = denialResponse(
    { problem: PROBLEM, ...(form && { form }) },
    { fields: [] },
  );
  assert.ok(body instanceof Uint8Array);
  const type = fields.find(([name]) => name === "content-type")![1];
  assert.equal(Number(fields.find(([name]) => name === "content-length")![1]), body.length);
  return { status, type, body: new TextDecoder().decode(body) };
}

Deno.test("denialResponse() is a problem document where the protocol has no better form", () => {
  const { status, type, body } = answer();
  assert.deepEqual([status, type], [403, "application/problem+json"]);
  assert.deepEqual(JSON.parse(body), PROBLEM);
});

Deno.test("denialResponse() answers an MCP tool call with a result that the model sees", () => {
  const request = { id: 7, toolCall: true };
  const form = { kind: "mcp", requests: [request], batch: false, resultType: true } as const;
  const { status, type, body } = answer(form);
  assert.deepEqual([status, type], [200, "application/json"]);
  assert.deepEqual(JSON.parse(body), {
    jsonrpc: "2.0",
    id: 7,
    result: {
      content: [{ type: "text", text: "firma refused it." }],
      isError: true,
      resultType: "complete",
      _meta: { "firma/denial": PROBLEM },
    },
  });
  const older = JSON.parse(answer({ ...form, resultType: false }).body);
  assert.equal("resultType" in older.result, false);
});

Deno.test("denialResponse() answers each request of an MCP batch", () => {
  const requests = [{ id: "a", toolCall: true }, { id: "b", toolCall: false }];
  const { body } = answer({ kind: "mcp", requests, batch: true, resultType: false });
  const [call, list] = JSON.parse(body);
  assert.equal(call.result.isError, true);
  assert.deepEqual([list.id, list.error.code], ["b", -32000]);
});

Deno.test("denialResponse() refuses each ref of a push in git's own words", () => {
  const refs = ["refs/heads/main", "refs/heads/next"];
  const plain = answer({ kind: "git-push", refs, sideBand: false });
  assert.deepEqual([plain.status, plain.type], [200, "application/x-git-receive-pack-result"]);
  assert.equal(
    plain.body,
    "000eunpack ok\n" +
      "0030ng refs/heads/main Denied by policy (firma)\n" +
      "0030ng refs/heads/next Denied by policy (firma)\n" +
      "0000",
  );
  const banded = answer({ kind: "git-push", refs, sideBand: true });
  assert.ok(banded.body.startsWith("0017\u0002firma refused it.\n"));
  assert.ok(banded.body.includes(`\u0001${plain.body}`));
  assert.ok(banded.body.endsWith("0000"));
});
