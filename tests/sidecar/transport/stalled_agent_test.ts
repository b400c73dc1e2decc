/** An agent that stops in the middle of something must not hold what serves it for ever. */
import assert from "node:assert/strict";
import type { DenialForm } from "../../../src/core/problem.ts";
import type { CallInput, Verdict } from "../../../src/sidecar/gate.ts";
import { DEFAULT_TIMEOUTS } from "../../../src/sidecar/transport/transport_options.ts";
import { startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { eventually, type Harness, startHarness } from "./_harness.ts";
import { Http2Client } from "./_http2_client.ts";
import { openTlsTunnel } from "./_raw.ts";

/** Long enough for a loaded machine to get a request across. */
const SHORT = { ...DEFAULT_TIMEOUTS, idleMs: 1_500 };
const FORM: DenialForm = {
  kind: "mcp",
  requests: [{ id: 1, toolCall: true }],
  batch: false,
  resultType: false,
};

function withHarness(
  name: string,
  timeouts: typeof SHORT,
  run: (harness: Harness, upstream: TestUpstream) => Promise<void>,
): void {
  Deno.test(name, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { http1Upstream: true, timeouts });
      await run(harness, upstream);
    } finally {
      await upstream.close();
    }
  });
}

function deniedInForm(harness: Harness): Verdict {
  return { ...harness.gate.deny(), form: FORM } as Verdict;
}

const POST = "POST /upload HTTP/1.1\r\nHost: api.test\r\nContent-Length: 5\r\n";

const READERS: Readonly<Record<string, (input: CallInput) => Promise<unknown>>> = {
  readBody: (input) => input.readBody(1_000),
  readPrefix: (input) => input.readPrefix!(1_000),
};

for (const [what, read] of Object.entries(READERS)) {
  const decide = (harness: Harness, seen: unknown[]) => async (input: CallInput) => {
    const body = await read(input);
    seen.push(body);
    return body === undefined ? harness.gate.deny() : harness.gate.allow(input);
  };

  withHarness(`${what}() gives up on a body that stops, HTTP/1.1`, SHORT, async (harness) => {
    const seen: unknown[] = [];
    harness.gate.decideWith = decide(harness, seen);
    await using raw = await openTlsTunnel(harness, "api.test");
    await raw.write(`${POST}\r\nhe`);
    assert.equal(await raw.rest(), "");
    assert.deepEqual(seen, [undefined]);
  });

  withHarness(`${what}() gives up on a body that stops, HTTP/2`, SHORT, async (harness) => {
    const seen: unknown[] = [];
    harness.gate.decideWith = decide(harness, seen);
    await using client = await Http2Client.open(harness, "api.test");
    const fields = [[":method", "POST"], [":path", "/upload"]] as const;
    const { resetCode } = await client.request(fields, { body: "he", unfinished: true });
    assert.equal(resetCode, 8);
    await eventually(() => seen.length === 1, "the reader to give up");
    assert.deepEqual(seen, [undefined]);
  });

  withHarness(
    `${what}() waits for a body that comes in pieces`,
    DEFAULT_TIMEOUTS,
    async (harness) => {
      const seen: unknown[] = [];
      harness.gate.decideWith = decide(harness, seen);
      await using raw = await openTlsTunnel(harness, "api.test");
      await raw.write(`${POST}\r\nhe`);
      await eventually(() => harness.gate.calls.length === 1, "the call");
      await raw.write("llo");
      assert.equal(JSON.parse((await raw.response()).body).size, 5);
    },
  );

  withHarness(
    `${what}() asks for a body that its sender holds back`,
    DEFAULT_TIMEOUTS,
    async (harness) => {
      harness.gate.decideWith = decide(harness, []);
      await using raw = await openTlsTunnel(harness, "api.test");
      await raw.write(`${POST}Expect: 100-continue\r\n\r\n`);
      assert.match(await raw.until("\r\n\r\n"), /^HTTP\/1.1 100 /);
      await raw.write("hello");
      assert.equal(JSON.parse((await raw.response()).body).size, 5);
    },
  );
}

withHarness(
  "a denial that waits for the body asks for one that its sender holds back",
  DEFAULT_TIMEOUTS,
  async (harness) => {
    harness.gate.decideWith = () => deniedInForm(harness);
    await using raw = await openTlsTunnel(harness, "api.test");
    await raw.write(`${POST}Expect: 100-continue\r\n\r\n`);
    assert.match(await raw.until("\r\n\r\n"), /^HTTP\/1.1 100 /);
    await raw.write("hello");
    const { status, body } = await raw.response();
    assert.deepEqual([status, JSON.parse(body).result.isError], [200, true]);
    await raw.write("GET /status/201 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert.equal((await raw.response()).status, 200, "the connection goes on");
  },
);

withHarness(
  "a denial that waits for the body gives up on one that stops, HTTP/1.1",
  SHORT,
  async (harness) => {
    harness.gate.decideWith = () => deniedInForm(harness);
    await using raw = await openTlsTunnel(harness, "api.test");
    await raw.write(`${POST}\r\nhe`);
    assert.equal(await raw.rest(), "");
  },
);

withHarness(
  "a denial that waits for the body gives up on one that stops, HTTP/2",
  SHORT,
  async (harness) => {
    harness.gate.decideWith = () => deniedInForm(harness);
    await using client = await Http2Client.open(harness, "api.test");
    const fields = [[":method", "POST"], [":path", "/upload"]] as const;
    const { status, resetCode } = await client.request(fields, { body: "he", unfinished: true });
    assert.deepEqual([status, resetCode], [0, 8]);
  },
);

withHarness(
  "a connection ends whose denied body never comes",
  SHORT,
  async (harness) => {
    harness.gate.decideWith = () => harness.gate.deny();
    await using raw = await openTlsTunnel(harness, "api.test");
    await raw.write(`${POST}\r\nhe`);
    assert.equal((await raw.response()).status, 403);
    assert.equal(await raw.rest(), "");
  },
);

withHarness(
  "a connection goes on whose denied body comes late",
  DEFAULT_TIMEOUTS,
  async (harness) => {
    harness.gate.decideWith = (input) =>
      input.method === "POST" ? harness.gate.deny() : harness.gate.allow(input);
    await using raw = await openTlsTunnel(harness, "api.test");
    await raw.write(`${POST}\r\nhe`);
    assert.equal((await raw.response()).status, 403);
    await raw.write("lloGET /status/201 HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert.equal((await raw.response()).status, 201);
  },
);

for (const answer of ["denial", "refusal", "response"]) {
  withHarness(
    `a stream ends whose client takes nothing of the ${answer}, and others go on`,
    SHORT,
    async (harness) => {
      harness.gate.decideWith = (input) =>
        answer === "denial" ? harness.gate.deny() : harness.gate.allow(input);
      await using client = await Http2Client.open(harness, "api.test", 0);
      const path = answer === "refusal" ? "no-slash" : "/echo";
      const stalled = await client.request([[":path", path]]);
      assert.deepEqual([stalled.status, stalled.resetCode], [answer === "response" ? 200 : 403, 8]);
      const bodiless = await client.request([[":method", "HEAD"], [":path", path]]);
      assert.equal(bodiless.resetCode, undefined);
    },
  );
}
