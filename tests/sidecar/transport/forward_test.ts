import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Buffer } from "node:buffer";
import { hashOfBytes, startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { eventually, type Harness, startHarness } from "./_harness.ts";
import { openTlsTunnel } from "./_raw.ts";

const COMBINATIONS = [
  { client: "--http1.1", http1Upstream: true },
  { client: "--http1.1", http1Upstream: false },
  { client: "--http2", http1Upstream: true },
  { client: "--http2", http1Upstream: false },
] as const;

interface Situation {
  readonly harness: Harness;
  readonly upstream: TestUpstream;
  readonly http1Upstream: boolean;
  /** curl with the client's version of HTTP. */
  curl(...args: string[]): ReturnType<Harness["curl"]>;
}

/** Runs a test with a client and an upstream of each version of HTTP. */
function withEach(name: string, run: (situation: Situation) => Promise<void>): void {
  for (const { client, http1Upstream } of COMBINATIONS) {
    const versions = `${client === "--http2" ? "HTTP/2" : "HTTP/1.1"} to ${
      http1Upstream ? "HTTP/1.1" : "HTTP/2"
    }`;
    Deno.test(`${name}, ${versions}`, async () => {
      const upstream = await startUpstream("api.test");
      try {
        await using harness = await startHarness(upstream, { http1Upstream });
        const curl = (...args: string[]) => harness.curl(client, ...args);
        await run({ harness, upstream, http1Upstream, curl });
      } finally {
        await upstream.close();
      }
    });
  }
}

function fieldsOf(raw: readonly string[]): [string, string][] {
  const fields: [string, string][] = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (!raw[i]!.startsWith(":")) fields.push([raw[i]!.toLowerCase(), raw[i + 1]!]);
  }
  return fields;
}

function statusOf(output: { readonly stdout: string }): number {
  return Number(/^HTTP\/[\d.]+ (\d+)/.exec(output.stdout)?.[1]);
}

withEach("transport forwards method, path, query and body as they are", async (situation) => {
  const { curl, harness, http1Upstream } = situation;
  const get = JSON.parse((await curl("https://api.test/echo/a%20b?x=1&y=%2F")).stdout);
  assert.equal(get.method, "GET");
  assert.equal(get.path, "/echo/a%20b?x=1&y=%2F");
  assert.equal(get.httpVersion, http1Upstream ? "1.1" : "2.0");
  assert.equal(get.body.size, 0);
  const put = JSON.parse(
    (await curl("-X", "PUT", "--data-binary", "hello", "https://api.test/echo")).stdout,
  );
  assert.equal(put.method, "PUT");
  assert.equal(put.body.sha256, createHash("sha256").update("hello").digest("hex"));
  assert.deepEqual(harness.gate.outcomes.map(({ status }) => status), [200, 200]);
  const [first, second] = harness.gate.outcomes;
  assert.equal(first?.requestBytes, 0);
  assert.equal(second?.requestBytes, 5);
  assert.ok(second.responseBytes > 100);
  assert.ok(second.headLatencyUs > 0 && second.latencyUs >= second.headLatencyUs);
});

withEach(
  "transport keeps end-to-end fields and drops the others",
  async ({ curl, http1Upstream }) => {
    const output = await curl(
      ...[
        "-H",
        "X-First: 1",
        "-H",
        "X-Twice: a",
        "-H",
        "X-Twice: b",
        "-H",
        "Accept-Encoding: br, zstd",
      ],
      ...[
        "-H",
        "X-Firma-Session: forged",
        "-H",
        "Proxy-Authorization: Basic x",
        "-H",
        "X-Named: gone",
      ],
      ...["-H", "X-Empty;", "https://api.test/echo"],
    );
    const fields = fieldsOf(JSON.parse(output.stdout).rawHeaders);
    const values = (name: string) =>
      fields.filter(([key]) => key === name).map(([, value]) => value);
    assert.deepEqual(values("x-first"), ["1"]);
    assert.equal(values("x-twice").join(", "), "a, b");
    assert.deepEqual(values("accept-encoding"), ["br, zstd"]);
    assert.deepEqual(values("x-empty"), [""]);
    assert.deepEqual(values("x-firma-session"), []);
    assert.deepEqual(values("proxy-authorization"), []);
    if (http1Upstream) assert.deepEqual(values("host"), ["api.test"]);
  },
);

withEach("transport replaces the fields that the verdict names", async ({ curl, harness }) => {
  harness.gate.decideWith = (input) =>
    harness.gate.allow(input, {
      dropHeaders: ["x-placeholder"],
      setHeaders: [["authorization", "Bearer secret"]],
    });
  const output = await curl(
    ...[
      "-H",
      "Authorization: Bearer placeholder",
      "-H",
      "X-Placeholder: 1",
      "https://api.test/echo",
    ],
  );
  const fields = fieldsOf(JSON.parse(output.stdout).rawHeaders);
  assert.deepEqual(fields.filter(([name]) => name === "authorization"), [[
    "authorization",
    "Bearer secret",
  ]]);
  assert.ok(!fields.some(([name]) => name === "x-placeholder"));
});

withEach("transport hands every response on as it came", async ({ curl }) => {
  assert.match((await curl("-i", "https://api.test/redirect")).stdout, /location: \/echo/i);
  assert.equal(statusOf(await curl("-i", "https://api.test/status/418")), 418);
  assert.equal(statusOf(await curl("-i", "https://api.test/no-content")), 204);
  assert.equal(statusOf(await curl("-i", "https://api.test/status/304")), 304);
  const cookies = (await curl("-i", "https://api.test/cookies")).stdout;
  assert.deepEqual(cookies.match(/set-cookie: .*/gi)?.length, 2);
  const gzip = await curl("-i", "--raw", "https://api.test/gzip");
  assert.match(gzip.stdout, /content-encoding: gzip/i);
  assert.ok(gzip.stdout.includes("\x1f\x8b\x08"));
  const hello = await curl("--compressed", "https://api.test/gzip");
  assert.equal(hello.stdout, "hello gzip");
});

withEach("transport answers HEAD without a body and with its length", async ({ curl }) => {
  const output = await curl("-I", "https://api.test/bytes/12345", "https://api.test/bytes/5");
  assert.equal(output.code, 0);
  assert.match(output.stdout, /content-length: 12345/i);
  assert.match(output.stdout, /content-length: 5\b/i);
});

withEach("transport hands 103 on before the response", async ({ curl }) => {
  const output = await curl("-i", "https://api.test/hints");
  assert.match(output.stdout, /^HTTP\/[\d.]+ 103[^]*link: <\/style.css>[^]*HTTP\/[\d.]+ 200/i);
  assert.match(output.stdout, /after hints$/);
});

withEach("transport streams large bodies both ways unchanged", async ({ curl, harness }) => {
  const size = 20_000_003;
  const file = await Deno.makeTempFile();
  try {
    for (const path of ["bytes", "chunked"]) {
      await curl("-o", file, `https://api.test/${path}/${size}`);
      const hash = createHash("sha256").update(await Deno.readFile(file)).digest("hex");
      assert.equal(hash, hashOfBytes(size));
    }
    const lengthKnown = await curl("-T", file, "https://api.test/upload");
    assert.deepEqual(JSON.parse(lengthKnown.stdout), { size, sha256: hashOfBytes(size) });
    const chunked = ["-H", "Transfer-Encoding: chunked", "-H", "Content-Length:"];
    const unknown = await curl("-T", file, ...chunked, "https://api.test/upload");
    assert.deepEqual(JSON.parse(unknown.stdout), { size, sha256: hashOfBytes(size) });
    assert.deepEqual(harness.gate.outcomes.map(({ responseBytes }) => responseBytes).slice(0, 2), [
      size,
      size,
    ]);
    assert.deepEqual(harness.gate.outcomes.map(({ requestBytes }) => requestBytes).slice(2), [
      size,
      size,
    ]);
  } finally {
    await Deno.remove(file);
  }
});

withEach("transport waits for 100 Continue where the client does", async ({ curl, harness }) => {
  const output = await curl(
    ...["-H", "Expect: 100-continue", "--expect100-timeout", "15", "-d", "hello"],
    "https://api.test/echo",
  );
  assert.equal(JSON.parse(output.stdout).body.size, 5);
  // A body that the gate reads is asked for by the transport itself.
  harness.gate.decideWith = async (input) => {
    const body = await input.readBody(100);
    assert.equal(Buffer.from(body ?? []).toString(), "hello");
    return harness.gate.allow(input);
  };
  const read = await curl(
    ...["-H", "Expect: 100-continue", "--expect100-timeout", "15", "-d", "hello"],
    "https://api.test/echo",
  );
  assert.equal(JSON.parse(read.stdout).body.size, 5);
});

withEach("transport sends a body that the gate has read as if it had not", async (situation) => {
  const { curl, harness } = situation;
  const seen: (number | undefined)[] = [];
  harness.gate.decideWith = async (input) => {
    seen.push((await input.readBody(10))?.length);
    return harness.gate.allow(input);
  };
  for (const size of [0, 1, 10, 11, 100_000]) {
    const data = "x".repeat(size);
    for (const extra of [[], ["-H", "Transfer-Encoding: chunked"]]) {
      const file = await Deno.makeTempFile();
      await Deno.writeTextFile(file, data);
      const output = await curl("--data-binary", `@${file}`, ...extra, "https://api.test/echo");
      await Deno.remove(file);
      assert.equal(JSON.parse(output.stdout).body.size, size);
    }
  }
  assert.deepEqual(seen, [0, 0, 1, 1, 10, 10, undefined, undefined, undefined, undefined]);
});

withEach(
  "transport denies with a problem and goes on on the same connection",
  async (situation) => {
    const { curl, harness, upstream } = situation;
    harness.gate.decideWith = (input) =>
      input.target === "/denied" ? harness.gate.deny() : harness.gate.allow(input);
    const url = "https://api.test/denied";
    const output = await curl("-i", "-d", "small body", url, "https://api.test/status/200");
    assert.equal(statusOf(output), 403);
    assert.match(output.stdout, /content-type: application\/problem\+json/i);
    assert.match(output.stdout, /"denied":true/);
    assert.match(output.stdout, /status 200$/);
    assert.equal(harness.gate.connects.length, 1, "one connection for both");
    assert.equal(upstream.seen.length, 1);
    const head = await curl("-I", url);
    assert.equal(statusOf(head), 403);
    assert.doesNotMatch(head.stdout, /denied/);
    assert.equal(harness.gate.outcomes.length, 1, "an outcome for what was forwarded alone");
  },
);

withEach("transport denies an upload without reading it", async ({ curl, harness }) => {
  harness.gate.decideWith = () => harness.gate.deny();
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, new Uint8Array(50_000_000));
  try {
    for (const expect of ["Expect:", "Expect: 100-continue"]) {
      const output = await curl("-i", "-T", file, "-H", expect, "https://api.test/upload");
      assert.match(output.stdout, /HTTP\/[\d.]+ 403/);
      assert.match(output.stdout, /"denied":true/);
    }
  } finally {
    await Deno.remove(file);
  }
});

withEach("transport denies gRPC in gRPC's own words", async ({ curl, harness }) => {
  harness.gate.decideWith = () => harness.gate.deny();
  const grpc = ["-H", "Content-Type: application/grpc+proto", "-H", "TE: trailers"];
  const output = await curl("-i", ...grpc, "--data-binary", "x", "https://api.test/grpc/Do");
  assert.equal(statusOf(output), 200);
  assert.match(output.stdout, /grpc-status: 7/i);
  assert.match(output.stdout, /grpc-message: no/i);
  assert.match(output.stdout, /content-type: application\/grpc\+proto/i);
});

withEach(
  "transport hands an early response on while the upload goes on",
  async ({ curl, harness }) => {
    const file = await Deno.makeTempFile();
    await Deno.writeFile(file, new Uint8Array(20_000_000));
    try {
      const output = await curl("-i", "-T", file, "-H", "Expect:", "https://api.test/early");
      assert.match(output.stdout, /HTTP\/[\d.]+ 413/, output.stderr);
      assert.equal(output.code, 0, `curl waits for more: ${output.stderr}`);
    } finally {
      await Deno.remove(file);
    }
    await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
    assert.equal(harness.gate.outcomes[0]!.status, 413);
  },
);

withEach("transport ends a large upload that is denied", async ({ curl, harness, upstream }) => {
  harness.gate.decideWith = () => harness.gate.deny();
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, new Uint8Array(20_000_000));
  try {
    for (const length of [[], ["-H", "Transfer-Encoding: chunked"]]) {
      const output = await curl(
        "-i",
        "-T",
        file,
        "-H",
        "Expect:",
        ...length,
        "https://api.test/up",
      );
      assert.match(output.stdout, /HTTP\/[\d.]+ 403/, output.stderr);
      assert.equal(output.code, 0, `curl waits for more: ${output.stderr}`);
    }
  } finally {
    await Deno.remove(file);
  }
  assert.deepEqual(upstream.seen, []);
});

withEach(
  "transport does not pass a response that breaks off for a whole one",
  async (situation) => {
    const { curl, harness } = situation;
    for (const path of ["cut", "cut/length"]) {
      const output = await curl(`https://api.test/${path}`);
      assert.notEqual(output.code, 0, "curl must see that the rest is missing");
      assert.equal(output.stdout, "the beginning");
    }
    await eventually(() => harness.gate.outcomes.length === 2, "the outcomes");
    for (const outcome of harness.gate.outcomes) {
      assert.equal(outcome.status, 200);
      assert.equal(outcome.abortReason, "CONNECTOR_FAILURE");
      assert.equal(outcome.responseBytes, "the beginning".length);
    }
  },
);

withEach("transport sends events on as they come", async ({ harness, curl }) => {
  await using raw = await openTlsTunnel(harness, "api.test");
  await raw.write("GET /sse HTTP/1.1\r\nHost: api.test\r\n\r\n");
  await raw.until("data: first\n\n");
  for (let i = 0; i < 3; i++) {
    assert.equal(
      JSON.parse((await curl("-X", "POST", "https://api.test/sse/next")).stdout).streams,
      1,
    );
    await raw.until("data: tick\n\n");
  }
});

withEach(
  "transport breaks off calls that a later decision closes",
  async ({ harness, upstream }) => {
    await using streaming = await openTlsTunnel(harness, "api.test");
    await streaming.write("GET /sse HTTP/1.1\r\nHost: api.test\r\n\r\n");
    await streaming.until("data: first\n\n");
    await using waiting = await openTlsTunnel(harness, "api.test");
    await waiting.write("GET /hang HTTP/1.1\r\nHost: api.test\r\n\r\n");
    await eventually(() => upstream.seen.length === 2, "both requests");
    const before = performance.now();
    harness.gate.revoke.abort();
    await Promise.all([streaming.rest(), waiting.rest()]);
    assert.ok(performance.now() - before < 1_000);
    await eventually(() => harness.gate.outcomes.length === 2, "the outcomes");
    for (const { detail } of harness.gate.outcomes) {
      assert.equal(
        detail,
        "closed by a later decision",
      );
    }
    await using late = await openTlsTunnel(harness, "api.test");
    await late.write("GET /echo HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert.equal(await late.rest(), "");
    assert.equal(upstream.seen.length, 2);
  },
);

withEach("transport gives a call up when its client goes away", async ({ harness, upstream }) => {
  const raw = await openTlsTunnel(harness, "api.test");
  await raw.write("GET /hang HTTP/1.1\r\nHost: api.test\r\n\r\n");
  await eventually(() => upstream.seen.length === 1, "the request");
  raw.conn.close();
  await eventually(() => harness.gate.outcomes.length === 1, "the outcome");
  assert.equal(harness.gate.outcomes[0]!.detail, "client went away");
  assert.equal(harness.gate.outcomes[0]!.abortReason, "");
});

withEach("transport answers 502 when the upstream cannot be reached", async ({ curl, harness }) => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr;
  closed.close();
  const route = harness.gate.routeOf;
  harness.gate.routeOf = (...args) => ({
    ...route(...args),
    connectAddr: { hostname: "127.0.0.1", port },
  });
  const output = await curl("-i", "https://api.test/echo");
  assert.equal(statusOf(output), 502);
  assert.match(output.stdout, /"aborted":true/);
  assert.equal(harness.gate.outcomes[0]?.abortReason, "CONNECTOR_FAILURE");
  const grpc = await curl(
    "-i",
    "-H",
    "Content-Type: application/grpc",
    "-d",
    "x",
    "https://api.test/x",
  );
  assert.match(grpc.stdout, /grpc-status: 14/i);
});

withEach(
  "transport refuses an upstream whose certificate is for another host",
  async (situation) => {
    const { curl, harness, upstream } = situation;
    const output = await curl("-i", "https://other.test/echo");
    assert.equal(statusOf(output), 502);
    assert.match(harness.gate.outcomes[0]!.detail, /certificate/i);
    assert.equal(upstream.seen.length, 0);
  },
);

withEach("transport refuses an upstream that no root vouches for", async (situation) => {
  const { curl, harness, upstream } = situation;
  const route = harness.gate.routeOf;
  harness.gate.routeOf = (...args) => ({ ...route(...args), caCerts: [] });
  assert.equal(statusOf(await curl("-i", "https://api.test/echo")), 502);
  assert.match(harness.gate.outcomes[0]!.detail, /certificate/i);
  assert.equal(upstream.seen.length, 0);
});

withEach(
  "transport refuses a name that resolves to this machine",
  async ({ curl, harness, upstream }) => {
    const route = harness.gate.routeOf;
    harness.gate.routeOf = (...args) => {
      const { connectAddr, ...rest } = route(...args);
      return { ...rest, host: "localhost", port: connectAddr!.port };
    };
    const before = upstream.connections();
    assert.equal(statusOf(await curl("-i", "https://api.test/echo")), 502);
    assert.match(harness.gate.outcomes[0]!.detail, /resolves to ".*": loopback/);
    assert.equal(upstream.seen.length, 0);
    assert.ok(upstream.connections() - before <= 1);
  },
);

withEach("transport reuses its connections to an upstream", async ({ curl, upstream }) => {
  const urls = Array.from({ length: 5 }, () => "https://api.test/status/200");
  await curl(...urls);
  await curl(...urls);
  assert.equal(upstream.seen.length, 10);
  assert.equal(upstream.connections(), 1);
});
