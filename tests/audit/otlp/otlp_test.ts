import assert from "node:assert/strict";
import { type Attributes, encodeLogs } from "../../../src/audit/otlp/encode_logs.ts";
import { eventRecord } from "../../../src/audit/otlp/event_record.ts";
import { OtlpDestination } from "../../../src/audit/otlp/otlp_destination.ts";
import { Shipper } from "../../../src/audit/ship/shipper.ts";
import type { LogLine } from "../../../src/audit/ship/destination.ts";
import { unwrap } from "../../../src/core/result.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { inTempDir, sampleDecision, sampleOutcome } from "../sample.ts";
import { openLog, upTo } from "../ship/support.ts";

/** What Google's protobuf reads in a request. */
async function decode(request: Uint8Array) {
  const child = new Deno.Command("/usr/bin/python3", {
    args: [new URL("decode_logs.py", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(request);
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** A collector that answers as it is told and keeps what it is sent. */
function collector() {
  const requests: { headers: Headers; path: string; body: Uint8Array }[] = [];
  let answer = () => new Response(null, { status: 200 });
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    async (request) => {
      const body = new Uint8Array(await request.arrayBuffer());
      requests.push({ headers: request.headers, path: new URL(request.url).pathname, body });
      return answer();
    },
  );
  return {
    requests,
    url: `http://127.0.0.1:${server.addr.port}/v1/logs`,
    answers: (with_: () => Response) => void (answer = with_),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const CONFIG = {
  headers: undefined,
  caCertPath: undefined,
  clientCertPath: undefined,
  clientKeyPath: undefined,
};

function line(event: object, seq = 1): LogLine {
  return { seq, bytes: new TextEncoder().encode(JSON.stringify({ seq, ...event })) };
}

function named(attributes: { key: string; value: Record<string, unknown> }[]) {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

Deno.test("encodeLogs() writes what another implementation of protobuf reads", async () => {
  const attributes: Attributes = {
    text: "ä\u{1f600}",
    empty: "",
    lone: "\ud800",
    whole: -7,
    large: Number.MAX_SAFE_INTEGER,
    part: 0.5,
    yes: true,
    no: false,
    list: ["a", ""],
    absent: undefined,
  };
  const read = await decode(encodeLogs({
    resource: { "service.name": "firma" },
    scope: { name: "s", version: "1" },
    schemaUrl: "https://schema.test",
    records: [{
      timeUnixNano: 1_893_456_000_123_456_789n,
      observedTimeUnixNano: 2n,
      severityNumber: 17,
      severityText: "ERROR",
      body: "",
      eventName: "e",
      attributes,
    }],
  }));
  const [{ resource, scope_logs: [{ scope, log_records: [record], schema_url }] }] =
    read.resource_logs;
  assert.deepEqual(named(resource.attributes), { "service.name": "firma" });
  assert.deepEqual([scope, schema_url], [{ name: "s", version: "1" }, "https://schema.test"]);
  const { attributes: found, ...rest } = record;
  assert.deepEqual(rest, {
    time_unix_nano: "1893456000123456789",
    observed_time_unix_nano: "2",
    severity_number: 17,
    severity_text: "ERROR",
    body: { string_value: "" },
    event_name: "e",
  });
  assert.deepEqual(named(found), {
    text: "ä\u{1f600}",
    empty: "",
    lone: "\ufffd",
    whole: "-7",
    large: String(Number.MAX_SAFE_INTEGER),
    part: 0.5,
    yes: true,
    no: false,
    list: { values: [{ string_value: "a" }, { string_value: "" }] },
  });
});

Deno.test("eventRecord() names what the semantic conventions have names for", () => {
  const decision = eventRecord(line(sampleDecision({ decision: "DENY" }), 7), 1_000);
  assert.equal(decision.eventName, "firma.decision");
  assert.equal(decision.severityText, "WARN");
  assert.equal(decision.timeUnixNano, 1_738_324_800_000_000_000n);
  assert.equal(JSON.parse(decision.body).seq, 7);
  const { attributes } = decision;
  assert.equal(attributes["firma.seq"], 7);
  assert.equal(attributes["server.address"], "api.github.invalid");
  assert.equal(attributes["http.request.method"], "GET");
  assert.equal(attributes["gen_ai.agent.id"], "agt_01jd0000000000000000000000");
  assert.deepEqual(attributes["firma.policy_ids"], ["dev.cedar#1"]);
  const outcome = eventRecord(line(sampleOutcome()), 1_000);
  assert.equal(outcome.attributes["http.response.status_code"], 200);
  assert.equal(outcome.severityText, "INFO");
  const damaged = eventRecord({ seq: 3, bytes: new Uint8Array([0xff, 0x7b]) }, 1_000);
  assert.equal(damaged.timeUnixNano, 1_000_000_000n);
});

Deno.test("OtlpDestination ships a log whole, and waits as long as the collector wants", async () => {
  await using world = collector();
  await inTempDir(async (dir) => {
    const log = await openLog(dir);
    await log.write(700);
    const file = `${dir}/headers`;
    await Deno.writeTextFile(file, "authorization: Bearer s3cret\nx-scope: firma\n", {
      mode: 0o600,
    });
    const destination = unwrap(
      await OtlpDestination.open(
        { ...CONFIG, url: world.url, headers: { from: "file", path: file } },
        {},
      ),
    );
    let refusals = 2;
    world.answers(() =>
      refusals-- > 0
        ? new Response(null, { status: 503, headers: { "retry-after": "0" } })
        : new Response(null, { status: 200 })
    );
    const notices: string[] = [];
    const shipper = new Shipper({
      logPath: log.path,
      sink: "otlp",
      destination,
      notify: (_, text) => notices.push(text),
      // What the collector says goes before this.
      minBackoffMs: 60_000_000,
      maxBackoffMs: 60_000_000,
    });
    await eventually("all lines", () => shipper.state.delivered === 701 || undefined);
    await shipper.close(1_000);
    await log.writer.close();
    const taken = world.requests.slice(2);
    const seen: number[] = [];
    for (const { body, headers, path } of taken) {
      assert.equal(path, "/v1/logs");
      assert.equal(headers.get("content-type"), "application/x-protobuf");
      assert.equal(headers.get("authorization"), "Bearer s3cret");
      const read = await decode(body);
      for (const record of read.resource_logs[0].scope_logs[0].log_records) {
        seen.push(JSON.parse(record.body.string_value).seq);
      }
    }
    assert.deepEqual(seen, upTo(701));
    assert.match(notices[0]!, /it answered 503/);
    assert.ok(!notices.join().includes("s3cret"));
  });
});

Deno.test("OtlpDestination tells what is refused for good from what is tried again", async () => {
  await using world = collector();
  const destination = unwrap(await OtlpDestination.open({ ...CONFIG, url: world.url }, {}));
  const { signal } = new AbortController();
  const partial = new Uint8Array([10, 4, 8, 3, 18, 0]);
  const in7 = new Date(Date.now() + 7_000).toUTCString();
  const cases: Record<string, [() => Response, object]> = {
    "nothing said": [() => new Response(null), { ok: true, value: 1 }],
    "a part refused": [
      () => new Response(partial),
      { ok: false, error: { reason: "it refused 3 of them", refused: true } },
    ],
    "garbage": [() => new Response("<html>"), { ok: true, value: 1 }],
    "bad data": [
      () => new Response(null, { status: 400 }),
      { ok: false, error: { reason: "it answered 400", refused: true } },
    ],
    "not let in": [
      () => new Response(null, { status: 401 }),
      { ok: false, error: { reason: "it answered 401" } },
    ],
    "too much": [
      () => new Response(null, { status: 429, headers: { "retry-after": "120" } }),
      { ok: false, error: { reason: "it answered 429", retryAfterMs: 120_000 } },
    ],
    "too much, for years": [
      () => new Response(null, { status: 503, headers: { "retry-after": "99999999" } }),
      { ok: false, error: { reason: "it answered 503", retryAfterMs: 600_000 } },
    ],
    "a redirection": [
      () => new Response(null, { status: 307, headers: { location: "https://evil.test/" } }),
      { ok: false },
    ],
  };
  for (const [name, [answer, expected]] of Object.entries(cases)) {
    world.answers(answer);
    const got = await destination.deliver([line(sampleDecision())], signal);
    const { ok } = expected as { ok: boolean };
    if (name === "a redirection") assert.equal(got.ok, ok, name);
    else assert.deepEqual(JSON.parse(JSON.stringify(got)), expected, name);
  }
  world.answers(() => new Response(null, { status: 503, headers: { "retry-after": in7 } }));
  const got = await destination.deliver([line(sampleDecision())], signal);
  const wait = got.ok ? 0 : got.error.retryAfterMs ?? 0;
  assert.ok(wait > 0 && wait <= 7_000, String(wait));
  destination.close();
});

Deno.test("OtlpDestination.open() refuses headers that are none, and never says what is in them", async () => {
  const open = (variable: string) =>
    OtlpDestination.open({
      ...CONFIG,
      url: "http://127.0.0.1:1/v1/logs",
      headers: { from: "environment", variable: "H" },
    }, { H: variable });
  for (
    const bad of ["s3cret", "=s3cret", "a b=s3cret", "host=s3cret", "a=s3cret%0d%0ab", "a=%zz"]
  ) {
    const opened = await open(`x=1,${bad}`);
    assert.ok(!opened.ok, bad);
    assert.match(opened.error.message, /number 2 is none/);
    assert.ok(!opened.error.message.includes("s3cret"));
  }
  const opened = unwrap(await open("authorization=Basic%20abc,x-a = b"));
  opened.close();
});
