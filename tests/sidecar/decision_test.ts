import { createClient } from "@connectrpc/connect";
import { createFetchClient } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-connect";
import assert from "node:assert/strict";
import { InterceptorHook } from "../../src/proto/firma/v1/interceptor_pb.ts";
import { newId } from "../../src/core/id.ts";
import { eventually } from "../fixtures/deadline.ts";
import { HOST, Rig } from "./rig.ts";

const URL_OF = `https://${HOST}/repos/acme`;

function socketOf(rig: Rig): string {
  return `${rig.dir}/run/decision.sock`;
}

/** What curl gets from the decision API of a rig. */
async function curl(rig: Rig, path: string, ...args: string[]) {
  const { stdout } = await new Deno.Command("curl", {
    args: ["-sS", "--unix-socket", socketOf(rig), "-D", "-", ...args, `http://localhost${path}`],
    stdin: "null",
  }).output();
  const text = new TextDecoder().decode(stdout);
  const [heads, body] = splitLast(text, "\r\n\r\n");
  const head = heads.slice(heads.lastIndexOf("HTTP/"));
  return { status: Number(/^HTTP\/\S+ (\d+)/.exec(head)?.[1]), head, body };
}

function splitLast(text: string, separator: string): [string, string] {
  const at = text.lastIndexOf(separator);
  return [text.slice(0, at), text.slice(at + separator.length)];
}

function evaluate(rig: Rig, request: unknown, path = "/access/v1/evaluation") {
  const body = typeof request === "string" ? request : JSON.stringify(request);
  return curl(rig, path, "-H", "content-type: application/json", "--data-binary", body);
}

function asked(sessionId: string, method = "GET", url = URL_OF, properties?: unknown) {
  return {
    subject: { type: "session", id: sessionId },
    action: { name: method, ...(properties !== undefined && { properties }) },
    resource: { type: "url", id: url },
  };
}

/** What a client with Python's grpcio gets for each request. */
async function grpc(rig: Rig, requests: readonly unknown[], method = "Intercept") {
  const child = new Deno.Command("/usr/bin/python3", {
    args: [new URL("./decision_client.py", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const image = new URL("../../proto/baseline.binpb", import.meta.url).pathname;
  const writer = child.stdin.getWriter();
  const order = { target: `unix:${socketOf(rig)}`, image, requests, method };
  await writer.write(new TextEncoder().encode(JSON.stringify(order)));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A client that is generated from the protocol. */
function hook(rig: Rig) {
  const http = Deno.createHttpClient({
    proxy: { transport: "unix", path: socketOf(rig) },
    http1: false,
    http2: true,
  });
  const transport = createTransport({
    httpClient: createFetchClient((input, init) =>
      fetch(input as string, { ...init as RequestInit, client: http })
    ),
    baseUrl: "http://localhost",
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: 1024,
    readMaxBytes: 1024 * 1024,
    writeMaxBytes: 64 * 1024 * 1024,
  });
  return {
    client: createClient(InterceptorHook, transport),
    [Symbol.dispose]: () => http.close(),
  };
}

Deno.test("the decision API decides over AuthZEN as for a connection, and records it", async () => {
  await using rig = await Rig.start();
  assert.equal((Deno.statSync(socketOf(rig)).mode ?? 0) & 0o777, 0o600);
  const session = await rig.session();
  const allowed = await evaluate(rig, asked(session.id));
  assert.equal(allowed.status, 200, allowed.body);
  const said = JSON.parse(allowed.body);
  assert.deepEqual(said, {
    decision: true,
    context: {
      decision: "ALLOW",
      action_class: "code.read",
      event_id: said.context.event_id,
    },
  });
  const denied = JSON.parse((await evaluate(rig, asked(session.id, "POST"))).body);
  assert.equal(denied.decision, false);
  assert.equal(denied.context.reason, "PolicyDenied");
  assert.equal(denied.context.action_class, "code.write");
  const unmapped = JSON.parse(
    (await evaluate(rig, asked(session.id, "GET", "https://unmapped.test/"))).body,
  );
  assert.equal(unmapped.context.reason, "UnclassifiedIntent");
  const stranger = JSON.parse((await evaluate(rig, asked(newId("ses")))).body);
  assert.deepEqual([stranger.decision, stranger.context.reason], [false, "TokenInvalid"]);

  assert.equal((await session.curl("/echo")).status, 200);
  const event = await rig.event("the record", ({ event_id }) => event_id === said.context.event_id);
  assert.ok(event.kind === "decision" && event.envelope?.provenance.via === "api");
  assert.equal(event.session_id, session.id);
  assert.equal(event.token_id, session.tokenId);
  const own = await rig.event("the record of the call", (event) => event.kind === "outcome");
  // Only what left has an outcome, and only that is waited for at the end.
  assert.ok(own.kind === "outcome" && own.decision_event_id !== said.context.event_id);
  await eventually("no call to be open", async () => {
    const { open_calls } = await (await rig.control("GET", "/v1/status")).json();
    return open_calls === 0 || undefined;
  });
});

Deno.test("the decision API reads bodies and answers batches by their semantics", async () => {
  await using rig = await Rig.start();
  const { id } = await rig.session();
  const batch = async (more: object) => {
    const answer = await evaluate(rig, {
      subject: { type: "session", id },
      resource: { type: "url", id: URL_OF },
      ...more,
    }, "/access/v1/evaluations");
    assert.equal(answer.status, 200, answer.body);
    const { evaluations } = JSON.parse(answer.body);
    return evaluations?.map(({ decision }: { decision: boolean }) => decision) ??
      JSON.parse(answer.body).decision;
  };
  const read = { action: { name: "GET" } };
  const write = { action: { name: "POST", properties: { body_base64: "aGk=" } } };
  const odd = { action: { name: "GET" }, resource: { type: "file", id: "/etc/passwd" } };
  assert.deepEqual(await batch({ evaluations: [read, write, odd, read] }), [
    true,
    false,
    false,
    true,
  ]);
  const semantics = (evaluations_semantic: string) => ({ options: { evaluations_semantic } });
  const all = { evaluations: [write, read, read] };
  assert.deepEqual(await batch({ ...all, ...semantics("deny_on_first_deny") }), [false]);
  assert.deepEqual(await batch({ ...all, ...semantics("permit_on_first_permit") }), [false, true]);
  assert.equal(await batch(read), true);
});

Deno.test("the decision API answers a generated client", async () => {
  await using rig = await Rig.start();
  const { id } = await rig.session();
  using generated = hook(rig);
  const ask = (special: object) =>
    generated.client.intercept({
      method: "GET",
      host: HOST,
      path: "/repos/acme?x=1",
      isHttps: true,
      sessionId: id,
      ...special,
    });
  const allowed = await ask({});
  assert.deepEqual([allowed.allowed, allowed.reason, allowed.decision], [true, "", "ALLOW"]);
  assert.equal(allowed.actionClass, "code.read");
  const denied = await ask({ method: "POST", body: new TextEncoder().encode("x") });
  assert.deepEqual([denied.allowed, denied.reason], [false, "PolicyDenied"]);
  const fronted = await ask({ headers: { Host: "other.test" } });
  assert.deepEqual([fronted.allowed, fronted.reason], [false, "MalformedRequest"]);
  await assert.rejects(ask({ sessionId: "" }), /invalid_argument/);
  await assert.rejects(ask({ path: "no-slash" }), /invalid_argument/);
  await assert.rejects(ask({ body: new Uint8Array(16 * 1024 * 1024) }), /resource_exhausted/);
  assert.equal((await ask({})).allowed, true, "it goes on");
});

Deno.test("the decision API speaks gRPC", async () => {
  await using rig = await Rig.start();
  const { id } = await rig.session();
  const read = { method: "GET", host: HOST, path: "/x", is_https: true, session_id: id };
  assert.deepEqual(
    await grpc(rig, [
      read,
      { ...read, method: "POST" },
      { ...read, session_id: "" },
      "garbage",
      8 * 1024 * 1024,
      read,
    ]),
    [
      [true, "ALLOW"],
      [false, "PolicyDenied"],
      "INVALID_ARGUMENT",
      // As other implementations of gRPC say it of bytes that are no message.
      "INTERNAL",
      "RESOURCE_EXHAUSTED",
      [true, "ALLOW"],
    ],
  );
  assert.deepEqual(await grpc(rig, [read], "Register"), ["UNIMPLEMENTED"]);
});

Deno.test("the decision API has no other verbs, and says what is wrong with a request", async (t) => {
  await using rig = await Rig.start();
  const { id } = await rig.session();
  const json = ["-H", "content-type: application/json"];
  const good = JSON.stringify(asked(id));
  const cases: Record<string, [number, string, ...string[]]> = {
    "management": [404, "/v1/sessions", "-X", "POST", ...json, "-d", "{}"],
    "status": [404, "/v1/status"],
    "the root": [404, "/"],
    "another method": [405, "/access/v1/evaluation"],
    "no JSON type": [415, "/access/v1/evaluation", "-d", good],
    "no JSON": [400, "/access/v1/evaluation", ...json, "-d", "{"],
    "null": [400, "/access/v1/evaluation", ...json, "-d", "null"],
    "no subject": [400, "/access/v1/evaluation", ...json, "-d", "{}"],
    "a subject of another kind": [
      400,
      "/access/v1/evaluation",
      ...json,
      "-d",
      JSON.stringify({ ...asked(id), subject: { type: "user", id: "ada" } }),
    ],
    "a URL that is none": [
      400,
      "/access/v1/evaluation",
      ...json,
      "-d",
      JSON.stringify(asked(id, "GET", "ftp://a.test/")),
    ],
    "two bodies": [
      400,
      "/access/v1/evaluation",
      ...json,
      "-d",
      JSON.stringify(asked(id, "POST", URL_OF, { body: "", body_base64: "" })),
    ],
    "a header that would make two": [
      400,
      "/access/v1/evaluation",
      ...json,
      "-d",
      JSON.stringify(asked(id, "GET", URL_OF, { headers: { "x-a": "1\r\nx-b: 2" } })),
    ],
    "as it should be": [200, "/access/v1/evaluation", ...json, "-d", good],
    "Connect": [
      200,
      "/firma.v1.InterceptorHook/Intercept",
      ...json,
      "-d",
      JSON.stringify({ sessionId: id, method: "GET", host: HOST, path: "/", isHttps: true }),
    ],
    "Connect, in the package of other clients": [
      200,
      "/firma.interceptor.v1.InterceptorHook/Intercept",
      ...json,
      "-d",
      JSON.stringify({ sessionId: id, method: "GET", host: HOST, path: "/", isHttps: true }),
    ],
    "a message that is none": [
      400,
      "/firma.v1.InterceptorHook/Intercept",
      ...json,
      "-d",
      '{"sudo":1',
    ],
  };
  for (const [name, [status, path, ...args]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const answer = await curl(rig, path, ...args);
      assert.equal(answer.status, status, `${answer.head}\n${answer.body}`);
    });
  }
  await t.step("too much", async () => {
    const file = `${rig.dir}/large.json`;
    await Deno.writeTextFile(file, `"${"x".repeat(8 * 1024 * 1024)}"`);
    const answer = await curl(rig, "/access/v1/evaluation", ...json, "--data-binary", `@${file}`);
    assert.equal(answer.status, 413);
  });
  await t.step("not HTTP", async () => {
    for (const garbage of ["\x16\x03\x01\x00", "PRI * HTTP/2.0\r\n\r\nnonsense, and more of it"]) {
      using conn = await Deno.connect({ transport: "unix", path: socketOf(rig) });
      await conn.write(new TextEncoder().encode(garbage));
      await conn.closeWrite();
      assert.doesNotMatch(await new Response(conn.readable).text(), /200/);
    }
  });
  await t.step("the identifier of a request comes back", async () => {
    const { head } = await curl(
      rig,
      "/access/v1/evaluation",
      ...json,
      ...["-H", "X-Request-ID: q-7", "-d", good],
    );
    assert.match(head, /x-request-id: q-7/i);
  });
});

Deno.test("the decision API fails closed when there is nothing to decide by", async () => {
  await using rig = await Rig.start();
  const { id } = await rig.session();
  assert.equal(JSON.parse((await evaluate(rig, asked(id))).body).decision, true);
  await Deno.remove(`${rig.dir}/policies`, { recursive: true });
  await eventually("the refusal", async () => {
    const { decision, context } = JSON.parse((await evaluate(rig, asked(id))).body);
    return decision === false && context.reason === "PolicyBundleNotReady" || undefined;
  });
  await rig.control("POST", `/v1/sessions/${id}/end`, {});
  const after = JSON.parse((await evaluate(rig, asked(id))).body);
  assert.equal(after.decision, false);
});
