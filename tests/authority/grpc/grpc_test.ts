/** Other people's clients: Python's grpcio, curl, Connect's for Node, and gRPC-Web. */
import { Code, createClient } from "@connectrpc/connect";
import { createFetchClient } from "@connectrpc/connect/protocol";
import { createTransport } from "@connectrpc/connect/protocol-grpc-web";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { AuthorityService } from "../../../src/proto/firma/v1/authority_pb.ts";
import { newId } from "../../../src/core/id.ts";
import { verifyToken } from "../../../src/capability/token.ts";
import { FORBID, PERMIT } from "../support.ts";
import { certificates } from "../service/certificates.ts";
import { AGENT, connectHttp2, request, serve } from "../service/support.ts";

const HERE = new URL(".", import.meta.url).pathname;

type Authority = Awaited<ReturnType<typeof serve>>;

async function run(program: string, args: readonly string[], input = ""): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(input));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

// deno-lint-ignore no-explicit-any -- what it says differs from job to job, and is compared whole
async function python(authority: Authority, order: object): Promise<any> {
  const { endpoint } = authority;
  const target = endpoint.startsWith("unix://")
    ? endpoint.replace("unix://", "unix:")
    : endpoint.replace("https://", "");
  const image = `${HERE}../../../proto/baseline.binpb`;
  const full = JSON.stringify({ target, image, agent: AGENT, ...order });
  return JSON.parse(await run("/usr/bin/python3", [`${HERE}client.py`], full));
}

Deno.test("grpcio gets tokens, and reasons for refusals, over the socket and mutual TLS", async (t) => {
  await using pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  const tls = { roots: files.caPath, key: files.keyPath, cert: files.certPath };
  for (const kind of ["socket", "mutual TLS"]) {
    await t.step(kind, async () => {
      await using authority = await serve(kind === "socket" ? {} : { tls: pki.serverTls });
      const order = kind === "socket" ? { job: "issue" } : { job: "issue", tls };
      const answer = await python(authority, order);
      assert.equal(answer.granted, true);
      assert.equal(answer.decision, "ISSUE_DECISION_ALLOW");
      const token = new TextDecoder().decode(Uint8Array.fromBase64(answer.token.signature));
      const claims = await verifyToken(token, authority.key.publicKey);
      assert.ok(claims.ok);
      assert.equal(claims.value.token_id, answer.token.token_id);
      assert.equal(claims.value.policy_bundle_version, answer.token.policy_bundle_version);
      const refused = await python(authority, { ...order, with: { agent_id: newId("agt") } });
      assert.equal(refused.decision, "ISSUE_DECISION_DENY");
      assert.equal(refused.deny_reason, "AGENT_NOT_REGISTERED");
    });
  }
});

Deno.test("grpcio hears the status of what cannot be answered, and the rest is answered", async () => {
  await using authority = await serve();
  const said = await python(authority, { job: "statuses" });
  // What gRPC itself says of a request that is no message (doc/statuscodes.md of its project).
  assert.equal(said["garbage"].status, "INTERNAL");
  assert.equal(said["oversized"].status, "RESOURCE_EXHAUSTED");
  assert.equal(said["unknown"].status, "UNIMPLEMENTED");
  assert.equal(said["garbage stream"].status, "INTERNAL");
  assert.equal(said["bad time"].status, "INVALID_ARGUMENT");
  assert.equal(said["good after all"].granted, true);
});

Deno.test("grpcio hears bundles and revocations without anything of firma's own", async () => {
  const files = { "a.cedar": `${PERMIT}// no line feed behind`, "b.cedar": FORBID };
  await using authority = await serve({ policies: files });
  const bundle = await python(authority, { job: "bundle" });
  assert.equal(bundle.policies, Object.values(files).join("\n"));
  assert.match(bundle.version, /^[0-9a-f]{16}$/);
  assert.equal(bundle.ttl, 30);
  assert.ok(bundle.schema > 1000);
  const [early, late] = [newId("ctok"), newId("ctok")];
  const lines = [
    `${early}\t2030-01-01T00:00:00.000Z\tearly`,
    `${late}\t2031-01-01T00:00:00.000Z\tlate`,
  ];
  await authority.stop();
  await Deno.writeTextFile(authority.revocationFile, `${lines.join("\n")}\n`);
  await authority.start();
  const all = await python(authority, { job: "revocations", count: 2 });
  assert.deepEqual(all, [
    { token_id: early, reason: "early", timestamp: "2030-01-01T00:00:00Z" },
    { token_id: late, reason: "late", timestamp: "2031-01-01T00:00:00Z" },
  ]);
  const since = "2030-06-01T00:00:00Z";
  const rest = await python(authority, { job: "revocations", count: 1, since });
  assert.equal(rest[0].token_id, late);
});

Deno.test("clients that come and go, at any moment, do the Authority no harm", async () => {
  await using pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  const tls = { roots: files.caPath, key: files.keyPath, cert: files.certPath };
  await using authority = await serve({ tls: pki.serverTls });
  assert.equal(await python(authority, { job: "cycles", count: 120, tls }), "done");
  await using client = await authority.client({ tls: files });
  assert.ok((await client.remote.issueCapability(request())).granted);
});

Deno.test("curl asks with JSON over HTTP/1.1 and HTTP/2, at the same port", async (t) => {
  await using pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  await using authority = await serve({ tls: pki.serverTls });
  for (const version of ["--http1.1", "--http2"]) {
    await t.step(version, async () => {
      const body = {
        agentId: AGENT,
        sessionId: "ses",
        requestedActions: ["code.read"],
        resourceScope: ["**"],
      };
      const said = await run("curl", [
        ...["-sS", version, "--cacert", files.caPath, "--cert", files.certPath],
        ...["--key", files.keyPath, "-H", "content-type: application/json"],
        ...["-d", JSON.stringify(body)],
        `${authority.endpoint}/firma.v1.AuthorityService/IssueCapability`,
      ]);
      assert.equal(JSON.parse(said).granted, true);
    });
  }
});

Deno.test("Connect's own client for Node is answered, over HTTP/2 and HTTP/1.1", async () => {
  await using pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  await using authority = await serve({ tls: pki.serverTls });
  const read = (path: string) => Deno.readTextFileSync(path);
  const order = {
    endpoint: authority.endpoint,
    request: request(),
    tls: { ca: read(files.caPath), cert: read(files.certPath), key: read(files.keyPath) },
  };
  // In a process of its own, which node:http2 may end.
  const args = ["run", "-A", "--no-check", "--quiet", "--frozen", `${HERE}node_client.ts`];
  const said = JSON.parse(await run(Deno.execPath(), [...args, JSON.stringify(order)]));
  const each = { granted: true, policies: PERMIT, refusal: Code.InvalidArgument };
  assert.deepEqual(said, {
    "gRPC": each,
    "Connect, HTTP/2": each,
    "Connect, HTTP/1.1": each,
  });
});

Deno.test("a client of gRPC-Web is answered at the same port", async () => {
  await using pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  await using authority = await serve({ tls: pki.serverTls });
  const read = (path: string) => Deno.readTextFile(path);
  const http = Deno.createHttpClient({
    caCerts: [await read(files.caPath)],
    cert: await read(files.certPath),
    key: await read(files.keyPath),
  });
  const client = createClient(
    AuthorityService,
    createTransport({
      httpClient: createFetchClient((input, init) =>
        fetch(input as string, { ...init as RequestInit, client: http })
      ),
      baseUrl: authority.endpoint,
      useBinaryFormat: true,
      interceptors: [],
      acceptCompression: [],
      sendCompression: null,
      compressMinBytes: 1024,
      readMaxBytes: 1 << 26,
      writeMaxBytes: 1 << 20,
    }),
  );
  assert.equal((await client.issueCapability(request())).granted, true);
  for await (const { bundle } of client.watchPolicyBundle({})) {
    const digest = createHash("sha256").update(bundle!.policies).digest("hex");
    assert.equal(digest, createHash("sha256").update(PERMIT).digest("hex"));
    break;
  }
  http.close();
});

Deno.test("a client on the list that misbehaves ends its own requests, and nothing else", async (t) => {
  await using pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  await using authority = await serve({ tls: pki.serverTls });
  await using client = await authority.client({ tls: files });
  await using misbehaved = await connectHttp2(authority.port, files);
  const path = "/firma.v1.AuthorityService/IssueCapability";
  const grpc = { ":method": "POST", ":path": path, "content-type": "application/grpc" };
  const cases: Record<string, [Record<string, string>, Uint8Array | undefined, string]> = {
    "a path that is no path": [{ ...grpc, ":path": "*" }, undefined, "400"],
    "another path": [{ ...grpc, ":path": "/etc/passwd" }, undefined, "404"],
    "another method": [{ ...grpc, ":method": "DELETE" }, undefined, "405"],
    "another type": [{ ...grpc, "content-type": "text/html" }, undefined, "415"],
    "a length that is a lie": [grpc, Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 1), "grpc 8"],
    "a length below the largest": [grpc, Uint8Array.of(0, 0, 0xf, 0xff, 0xff, 1), "grpc 3"],
    "a compressed message": [
      { ...grpc, "grpc-encoding": "gzip" },
      Uint8Array.of(1, 0, 0, 0, 1, 0),
      "grpc 12",
    ],
    "a time-out that is none": [
      { ...grpc, "grpc-timeout": "x" },
      Uint8Array.of(0, 0, 0, 0, 0),
      "grpc 3",
    ],
    "a message that is none": [grpc, Uint8Array.of(0, 0, 0, 0, 1, 0xff), "grpc 13"],
    "two messages": [grpc, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), "grpc 12"],
    "no message": [grpc, undefined, "grpc 12"],
  };
  for (const [name, [headers, body, expected]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { status, trailers } = await misbehaved.request(
        [...Object.entries(headers), ["te", "trailers"]],
        body && { body },
      );
      const grpcStatus = trailers.find(([name]) => name === "grpc-status")?.[1];
      assert.equal(status === 200 ? `grpc ${grpcStatus}` : String(status), expected);
      assert.ok((await client.remote.issueCapability(request())).granted);
    });
  }
});
