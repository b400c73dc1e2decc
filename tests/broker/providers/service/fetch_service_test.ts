import assert from "node:assert/strict";
import { fetchService } from "../../../../src/broker/providers/service/fetch_service.ts";
import { serviceUrl } from "../../../../src/config/keys/credentials/service_url.ts";
import { jsonAnswer } from "../../../../src/broker/providers/service/json_answer.ts";
import { lifetimeMs, secretToken } from "../../../../src/broker/providers/service/token.ts";
import { NEVER } from "../../../fixtures/provider_world.ts";
import { type Asked, standIn } from "../../../fixtures/stand_in.ts";
import { TestCa } from "../../../fixtures/test_ca.ts";

const SECRET = "s3cr3t-of-the-client";

/** Asks a stand-in, by POST, with a secret in header and body, and holds that no error repeats it. */
async function asking(
  answer: (asked: Asked) => Response | Promise<Response>,
  options: Parameters<typeof fetchService>[0] = {},
  signal: AbortSignal = NEVER,
  done = () => {},
) {
  await using server = standIn(answer);
  const { ask, close } = fetchService(options);
  try {
    const headers = { authorization: `Basic ${SECRET}`, "content-type": "text/plain" };
    const url = `${server.url}/${SECRET}?key=${SECRET}`;
    const result = await ask({ method: "POST", url, headers, body: SECRET }, signal);
    assert.ok(!JSON.stringify(result).includes(SECRET));
    return { result, asked: server.asked };
  } finally {
    done();
    close();
  }
}

/** A body that goes on for as long as somebody reads. */
function endless(piece: Uint8Array<ArrayBuffer>): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ pull: (body) => body.enqueue(piece) });
}

Deno.test("fetchService() gives status, type and text of whatever is answered", async () => {
  const { result, asked } = await asking(() =>
    new Response('{"error":"invalid_client"}', {
      status: 401,
      headers: { "content-type": "Application/JSON; charset=utf-8" },
    })
  );
  assert.deepEqual(result, {
    ok: true,
    value: { status: 401, mediaType: "application/json", text: '{"error":"invalid_client"}' },
  });
  assert.equal(asked[0]?.body, SECRET);
});

Deno.test("fetchService() takes a secret to no other place that an answer names", async () => {
  await using other = standIn(() => Response.json({ access_token: "stolen" }));
  for (const status of [301, 302, 303, 307, 308]) {
    const { result } = await asking(() =>
      new Response(null, { status, headers: { location: `${other.url}/token` } })
    );
    assert.ok(!result.ok);
    assert.equal(result.error.code, "CREDENTIAL_ANSWER_INVALID");
  }
  assert.deepEqual(other.asked, []);
});

Deno.test("fetchService() reads no more than its limit, whatever a compression makes of it", async () => {
  const kilobyte = new Uint8Array(1024).fill(32);
  const plain = await asking(() => new Response(endless(kilobyte)), { mostBytes: 65_536 });
  const bomb = new Blob([new Uint8Array(32 << 20)]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  const packed = await new Response(bomb).bytes();
  assert.ok(packed.length < 65_536);
  const unpacked = await asking(
    () => new Response(packed, { headers: { "content-encoding": "gzip" } }),
    { mostBytes: 65_536 },
  );
  for (const { result } of [plain, unpacked]) {
    assert.ok(!result.ok);
    assert.equal(result.error.code, "CREDENTIAL_ANSWER_INVALID");
    assert.match(result.error.message, /longer than 65536 bytes/);
  }
});

Deno.test("fetchService() waits no longer than its time-out for an answer or for the rest of one", async () => {
  const never = (over: Promise<void>) => over.then(() => new Response());
  const drip = (over: Promise<void>) =>
    new Response(
      new ReadableStream({
        start: (body) => body.enqueue(new TextEncoder().encode("{")),
        pull: async (body) => {
          await over;
          body.close();
        },
      }),
    );
  for (const answer of [never, drip]) {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const { result } = await asking(() => answer(over), { timeoutMs: 50 }, NEVER, resolve);
    assert.ok(!result.ok);
    assert.equal(result.error.code, "CREDENTIAL_SERVICE_UNREACHABLE");
    assert.match(result.error.message, /it took longer than 50 ms$/);
  }
});

Deno.test("fetchService() gives up when nobody waits any more", async () => {
  const gone = AbortSignal.abort();
  const { result } = await asking(() => new Response("late"), {}, gone);
  assert.ok(!result.ok);
  assert.match(result.error.message, /nobody waits for it any more$/);
});

Deno.test("fetchService() trusts the certificates that it is told of, and no unknown ones", async () => {
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue("localhost");
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    () => new Response("hello"),
  );
  try {
    const url = `https://localhost:${server.addr.port}/`;
    for (const [caCerts, isTrusted] of [[[ca.certificate], true], [[], false]] as const) {
      const { ask, close } = fetchService({ caCerts });
      const result = await ask({ method: "GET", url, headers: {} }, NEVER);
      close();
      assert.equal(result.ok, isTrusted);
      if (!result.ok) assert.match(result.error.message, /certificate is not one/);
    }
  } finally {
    await server.shutdown();
  }
});

Deno.test("serviceUrl() takes https, and http of this machine alone", () => {
  const taken: Readonly<Record<string, string>> = {
    "https://auth.test/token": "https://auth.test/token",
    "https://auth.test/": "https://auth.test",
    "http://127.0.0.1:8200": "http://127.0.0.1:8200",
    "http://localhost:8200/": "http://localhost:8200",
    "http://[::1]:8200/v1": "http://[::1]:8200/v1",
  };
  for (const [text, value] of Object.entries(taken)) assert.deepEqual(serviceUrl(text), { value });
  const refused = [
    "http://auth.test/token",
    "http://localhost.evil.test",
    "http://127.0.0.1.evil.test",
    "https://user:pass@auth.test",
    "https://auth.test/#a",
    "ftp://auth.test",
    "file:///etc/passwd",
    "auth.test",
    "",
  ];
  for (const text of refused) assert.ok("state" in serviceUrl(text), text);
  assert.ok(!JSON.stringify(serviceUrl("https://u:hunter2@auth.test")).includes("hunter2"));
});

Deno.test("jsonAnswer() takes objects of JSON alone", () => {
  const answer = (mediaType: string, text: string) => jsonAnswer({ status: 200, mediaType, text });
  assert.ok(answer("application/json", "{}").ok);
  assert.ok(answer("application/problem+json", "{}").ok);
  for (const text of ["[]", "null", '"a"', "1", "{", "", "<html>"]) {
    assert.ok(!answer("application/json", text).ok, text);
  }
  for (const type of ["text/html", "", "application/x-www-form-urlencoded", "text/json"]) {
    assert.ok(!answer(type, "{}").ok, type);
  }
});

Deno.test("lifetimeMs() believes no life that is over, without end, or not a number", () => {
  const lives: readonly (readonly [unknown, number | undefined])[] = [
    [3600, 3_600_000],
    ["3600", 3_600_000],
    [59.9, 59_000],
    [1e12, 86_400_000],
    [Number.MAX_VALUE, 86_400_000],
    [0, undefined],
    [0.5, undefined],
    [-1, undefined],
    [NaN, undefined],
    [Infinity, undefined],
    ["-5", undefined],
    ["1e9", undefined],
    ["soon", undefined],
    [{}, undefined],
    [true, undefined],
  ];
  for (const [seconds, expected] of lives) {
    const life = lifetimeMs(seconds, "expires_in");
    assert.equal(life.ok ? life.value : undefined, expected, String(seconds));
  }
  assert.deepEqual(lifetimeMs(undefined, "expires_in"), { ok: true, value: undefined });
});

Deno.test("secretToken() takes what a header may carry", () => {
  assert.ok(secretToken("aZ09-._~+/=", "access_token").ok);
  for (const value of ["", " a", "a b", "a\r\nx: 1", "a\0", "é", 1, null, undefined, ["a"]]) {
    assert.ok(!secretToken(value, "access_token").ok, JSON.stringify(value));
  }
});
