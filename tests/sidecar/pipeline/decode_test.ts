import assert from "node:assert/strict";
import { err, ok } from "../../../src/core/result.ts";
import type { BodyDecoder } from "../../../src/sidecar/pipeline/decode.ts";
import { call, outcome, PEER, POLICY, rig } from "./support.ts";

const RULES = `
[[rules]]
host = "api.code.test"
path = "/graphql"
action_class = "code.destructive"
decoder = "graphql"
`;

/** A body of `read` lowers the class to reading; anything unknown is refused. */
const graphql: BodyDecoder = (_call, rule, _headers, body) => {
  const text = new TextDecoder().decode(body);
  if (text === "read") {
    return ok({
      attributes: { operation: text },
      rule: { ...rule, actionClass: "code.read" as never },
    });
  }
  if (text === "delete") return ok({ attributes: { operation: text }, rule });
  return err({ code: "MALFORMED_REQUEST", message: "Cannot read the operation" });
};

async function decide(body: string | undefined, decoder = graphql): Promise<string> {
  const subject = rig({ rules: RULES, decoders: new Map([["graphql", decoder]]) });
  const bytes = body === undefined ? undefined : new TextEncoder().encode(body);
  const readBody = () => Promise.resolve(bytes);
  const verdict = await subject.gate.decide(call({ target: "/graphql", readBody }));
  return outcome(verdict);
}

Deno.test("decode() lets the body decide the class", async () => {
  assert.equal(await decide("read"), "forward");
  assert.equal(await decide("delete"), "PolicyDenied");
});

Deno.test("decode() denies a body that it cannot read whole, or at all", async () => {
  assert.equal(await decide(undefined), "MalformedRequest");
  assert.equal(await decide("nonsense"), "MalformedRequest");
});

Deno.test("decode() denies when the decoder throws or the body breaks off", async () => {
  const broken: BodyDecoder = () => {
    throw new Error("bug in the decoder");
  };
  assert.equal(await decide("read", broken), "FailClosed");
  const subject = rig({ rules: RULES, decoders: new Map([["graphql", graphql]]) });
  const readBody = () => Promise.reject(new Error("connection reset"));
  assert.equal(
    outcome(await subject.gate.decide(call({ target: "/graphql", readBody }))),
    "FailClosed",
  );
  assert.equal(subject.events.last.deny_reason, "FailClosed");
});

Deno.test("decode() denies a decoder that does not exist", () => {
  const subject = rig({ rules: RULES, decoders: new Map([["graphql", graphql]]), policy: POLICY });
  const table = subject.standing.mapping;
  subject.standing.mapping = Object.assign(Object.create(Object.getPrototypeOf(table)), {
    match: () => ({ actionClass: "code.read", decoder: "missing", ref: "x:1" }),
  });
  assert.equal(outcome(subject.decide(call({ peer: PEER }))), "FailClosed");
});

Deno.test("a session that ends while its call is decoded gets nothing", async () => {
  const subject = rig({ rules: RULES, decoders: new Map([["graphql", graphql]]) });
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const verdict = subject.gate.decide(call({ target: "/graphql", readBody: () => promise }));
  subject.sessions.end(PEER.sessionId);
  resolve(new TextEncoder().encode("read"));
  assert.equal(outcome(await verdict), "TokenInvalid");
});
