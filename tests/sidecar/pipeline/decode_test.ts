import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import type { ActionClass } from "../../../src/core/action_class.ts";
import { ok } from "../../../src/core/result.ts";
import {
  type Decoder,
  type Operation,
  unclassified,
  unreadable,
} from "../../../src/mapping/decoders/decoder.ts";
import type { CallInput } from "../../../src/sidecar/gate.ts";
import { call, outcome, PEER, POLICY, rig } from "./support.ts";

const RULES = `
[[rules]]
host = "api.code.test"
path = "/orders"
action_class = "code.read"
decoder = "orders"

[[rules]]
host = "api.code.test"
path = "/harmless"
action_class = "code.destructive"
decoder = "orders"

[[rules]]
host = "api.code.test"
path = "/head"
action_class = "code.read"
decoder = "head"
`;

function operation(actionClass: string, attributes = {}): Operation {
  return { actionClass: actionClass as ActionClass, attributes };
}

/** Each word of a body is an order: `read`, `look`, `delete`, or the request `inner:<path>`. */
const orders: Decoder = {
  reads: "whole",
  gzip: true,
  decode({ body, inner }) {
    const operations: Operation[] = [];
    for (const word of new TextDecoder().decode(body).split(" ")) {
      if (word === "read") operations.push(operation("code.read"));
      else if (word === "look") operations.push(operation("code.read", { git_ref: "r" }));
      else if (word === "delete") operations.push(operation("code.destructive"));
      else if (word === "unheard-of") return unclassified("the order", "no table names it");
      else if (word.startsWith("inner:")) {
        const target = word.slice("inner:".length);
        const request = new TextEncoder().encode("read");
        const found = inner({ method: "POST", target, headers: [], body: request });
        if (!found.ok) return found;
        operations.push(...found.value.operations);
      } else return unreadable("the order", "it is nonsense");
    }
    const [first, ...rest] = operations;
    return ok({ operations: [first!, ...rest] });
  },
};

/** Looks at the first byte alone. */
const head: Decoder = {
  reads: "start",
  decode: ({ body, whole }) =>
    ok({ operations: [operation(body[0] === 0x72 && !whole ? "code.read" : "code.destructive")] }),
};

const DECODERS = new Map([["orders", orders], ["head", head]]);

function subject(decoders: ReadonlyMap<string, Decoder> = DECODERS) {
  return rig({ rules: RULES, decoders, policy: POLICY });
}

function request(body: string | Uint8Array | undefined, changes: Partial<CallInput> = {}) {
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const readBody = () => Promise.resolve(bytes);
  return call({ method: "POST", target: "/orders", readBody, ...changes });
}

async function decide(
  body: string | Uint8Array | undefined,
  changes: Partial<CallInput> = {},
): Promise<string> {
  return outcome(await subject().gate.decide(request(body, changes)));
}

Deno.test("decode() lets the body decide the class", async () => {
  assert.equal(await decide("read"), "forward");
  assert.equal(await decide("delete"), "PolicyDenied");
});

Deno.test("decode() never lets a body lower the class of its rule", async () => {
  const { gate, events } = subject();
  assert.equal(
    outcome(await gate.decide(request("read", { target: "/harmless" }))),
    "PolicyDenied",
  );
  assert.equal(events.last.action_class, "code.destructive");
});

Deno.test("decode() has each thing that a call does permitted by itself", async () => {
  const { gate, events } = subject();
  assert.equal(outcome(await gate.decide(request("read look read"))), "forward");
  const { intent } = (events.last as { envelope: { intent: Record<string, unknown> } }).envelope;
  assert.deepEqual(intent.operations, [
    { action_class: "code.read", attributes: {} },
    { action_class: "code.read", attributes: { git_ref: "r" } },
  ]);
  assert.equal(outcome(await gate.decide(request("read delete read"))), "PolicyDenied");
  assert.equal(events.last.action_class, "code.destructive", "the strictest stands for all");
});

Deno.test("decode() denies a call whose token does not cover all that it does", async () => {
  const permissive = `permit (principal, action, resource);`;
  const { gate, sessions } = rig({ rules: RULES, decoders: DECODERS, policy: permissive });
  assert.equal(outcome(await gate.decide(request("read delete"))), "forward");
  const claims = sessions.get(PEER.sessionId)!.claims;
  sessions.setClaims(
    PEER.sessionId,
    claims.map((claim) => ({ ...claim, action_set: ["code.read"] })),
  );
  assert.equal(outcome(await gate.decide(request("read"))), "forward");
  assert.equal(outcome(await gate.decide(request("read delete"))), "ToolNotInScope");
  // Two tokens that cover one half each cover nothing together.
  sessions.setClaims(PEER.sessionId, [
    { ...claims[0]!, action_set: ["code.read"] },
    { ...claims[0]!, action_set: ["code.destructive"] },
  ]);
  assert.equal(outcome(await gate.decide(request("read delete"))), "ToolNotInScope");
});

Deno.test("decode() denies a body that it cannot read whole, or at all", async () => {
  assert.equal(await decide(undefined), "MalformedRequest");
  assert.equal(await decide("nonsense"), "MalformedRequest");
});

Deno.test("decode() denies an operation that no table knows as not classified", async () => {
  assert.equal(await decide("unheard-of"), "UnclassifiedIntent");
});

Deno.test("decode() undoes gzip where the decoder expects it and refuses other encodings", async () => {
  const encoded = (encoding: string, target = "/orders") => ({
    headers: [["content-encoding", encoding]] as const,
    target,
  });
  const gzipped = new Uint8Array(gzipSync("read"));
  assert.equal(await decide(gzipped, encoded("gzip")), "forward");
  assert.equal(await decide(new Uint8Array(gzipSync("delete")), encoded("gzip")), "PolicyDenied");
  assert.equal(await decide(gzipped), "MalformedRequest");
  assert.equal(await decide("read", encoded("identity")), "forward");
  for (const encoding of ["br", "deflate", "gzip, gzip", "zstd", "gzip"]) {
    assert.equal(await decide("read", encoded(encoding)), "MalformedRequest", encoding);
  }
  assert.equal(await decide(gzipped, encoded("gzip", "/head")), "MalformedRequest");
  const bomb = new Uint8Array(gzipSync("read ".repeat(20_000)));
  assert.ok(bomb.length < 1024);
  assert.equal(await decide(bomb, encoded("gzip")), "MalformedRequest");
  const trailed = new Uint8Array([...gzipped, ...gzipSync(" delete")].slice(0, -3));
  assert.equal(await decide(trailed, encoded("gzip")), "MalformedRequest");
});

Deno.test("decode() classifies a request within a body by the rules of one of its own", async () => {
  assert.equal(await decide("inner:/repos/a/b"), "UnclassifiedIntent");
  assert.equal(await decide("inner:/orders"), "forward");
  assert.equal(await decide("inner:/harmless"), "PolicyDenied");
  assert.equal(await decide("inner:/x/../orders"), "MalformedRequest");
  assert.equal(await decide("inner:https://elsewhere.test/orders"), "MalformedRequest");
  assert.equal(await decide("inner:/orders?_method=DELETE"), "MalformedRequest");
});

Deno.test("decode() refuses a batch within a batch", async () => {
  const nested: Decoder = {
    ...orders,
    decode: (input) =>
      input.inner({ method: "POST", target: "/orders", headers: [], body: input.body }),
  };
  const { gate } = subject(new Map([["orders", nested], ["head", head]]));
  assert.equal(outcome(await gate.decide(request("read"))), "MalformedRequest");
});

Deno.test("decode() gives the beginning of a large body to a decoder that can do with it", async () => {
  const large = new Uint8Array(100).fill(0x72);
  const readPrefix = (whole: boolean) => ({
    target: "/head",
    readBody: () => Promise.resolve(undefined),
    readPrefix: () => Promise.resolve({ bytes: large, whole }),
  });
  assert.equal(await decide("", readPrefix(false)), "forward");
  assert.equal(await decide("", readPrefix(true)), "PolicyDenied");
  const broken = { target: "/head", readPrefix: () => Promise.resolve(undefined) };
  assert.equal(await decide("r", broken), "MalformedRequest");
});

Deno.test("decode() denies when the decoder throws or the body breaks off", async () => {
  const broken: Decoder = {
    reads: "whole",
    decode: () => {
      throw new Error("bug in the decoder");
    },
  };
  const { gate } = subject(new Map([["orders", broken], ["head", head]]));
  assert.equal(outcome(await gate.decide(request("read"))), "FailClosed");
  const readBody = () => Promise.reject(new Error("connection reset"));
  const { gate: other, events } = subject();
  assert.equal(outcome(await other.decide(request("", { readBody }))), "FailClosed");
  assert.equal(events.last.deny_reason, "FailClosed");
});

Deno.test("decode() denies a decoder that does not exist", () => {
  const { standing, decide } = subject();
  const table = standing.mapping;
  standing.mapping = Object.assign(Object.create(Object.getPrototypeOf(table)), {
    match: () => ({ actionClass: "code.read", decoder: "missing", ref: "x:1" }),
  });
  assert.equal(outcome(decide(call({ peer: PEER }))), "FailClosed");
});

Deno.test("a session that ends while its call is decoded gets nothing", async () => {
  const { gate, sessions } = subject();
  const { promise, resolve } = Promise.withResolvers<Uint8Array>();
  const verdict = gate.decide(request("", { readBody: () => promise }));
  sessions.end(PEER.sessionId);
  resolve(new TextEncoder().encode("read"));
  assert.equal(outcome(await verdict), "TokenInvalid");
});
