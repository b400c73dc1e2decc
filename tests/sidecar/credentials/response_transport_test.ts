import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { CredentialNeed, Issued } from "../../../src/broker/hand_out.ts";
import { ok } from "../../../src/core/result.ts";
import { BrokeredCredentials } from "../../../src/sidecar/credentials/brokered.ts";
import {
  type CallCredentials,
  NO_CREDENTIALS,
} from "../../../src/sidecar/credentials/call_credentials.ts";
import { HandOuts } from "../../../src/sidecar/credentials/hand_outs.ts";
import { MaskingCredentials } from "../../../src/sidecar/credentials/response_credentials.ts";
import { SecretsOfSessions } from "../../../src/sidecar/credentials/response_secrets.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { CODINGS, REFLECTIONS } from "../../fixtures/reflect.ts";
import { startUpstream } from "../../fixtures/upstream.ts";
import { type Harness, startHarness } from "../transport/_harness.ts";
import { Http2Client } from "../transport/_http2_client.ts";
import { openTlsTunnel } from "../transport/_raw.ts";

const SECRET = 'ghp_7Qm2"Lw9/ZtK4+vB\\xYz';
const PLACEHOLDER = "ghp_PLACEHOLDER_01234567";
const HOST = "api.test";
const ELSEWHERE = "other.test";

const ISSUED: Issued = {
  label: "a",
  headers: [["authorization", `Bearer ${SECRET}`]],
  secrets: [SECRET],
  provider: "file",
  scope: "",
  usableUntilMs: Infinity,
};
const NEED: CredentialNeed = {
  label: "a",
  edition: "1",
  host: HOST,
  port: 443,
  actionClass: "code.read",
  resource: "",
  sessionId: "ses_test",
  agentId: "agt_1",
};

/** A transport whose calls to {@linkcode HOST} carry the secret. */
async function withMasking(
  options: { readonly http1Upstream?: boolean; readonly issued?: Partial<Issued> },
  run: (harness: Harness) => Promise<void>,
): Promise<void> {
  const upstream = await startUpstream(HOST, ELSEWHERE);
  const secrets = new SecretsOfSessions(() => PLACEHOLDER);
  const handOuts = new HandOuts({
    ask: () => Promise.resolve(ok({ ...ISSUED, ...options.issued })),
    refused: () => {},
    capture: () => Promise.resolve(ok(undefined)),
  }, { heard: (...handed) => secrets.learn(...handed) });
  const credentials = new MaskingCredentials(new BrokeredCredentials(handOuts), secrets, {
    targets: () => [],
    stores: [],
    maxStoreAnswerBytes: 0,
  });
  try {
    await using harness = await startHarness(upstream, { ...options, credentials });
    harness.gate.decideWith = (input) =>
      harness.gate.allow(input, input.authority === HOST ? { need: NEED } : {});
    await run(harness);
  } finally {
    await upstream.close();
  }
}

for (const http1Upstream of [true, false]) {
  const kind = http1Upstream ? "HTTP/1.1" : "HTTP/2";

  Deno.test(`no way to reflect a credential shows it to the agent, ${kind} upstream`, async () => {
    await withMasking({ http1Upstream }, async (harness) => {
      await using client = await Http2Client.open(harness, HOST);
      await using raw = await openTlsTunnel(harness, HOST);
      for (const [form, write] of Object.entries(REFLECTIONS)) {
        for (const [coding, size] of [["identity", 1], ["identity", 0], ["gzip", 5], ["br", 0]]) {
          const target = `/reflect/${form}/${coding}/${size}`;
          const answer = await client.request([[":path", target]]);
          await raw.write(`GET ${target} HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
          const old = await raw.response();
          const shown = plainly(form, write(`Bearer ${PLACEHOLDER}`));
          assert.equal(plainly(form, answer.body.toString()), shown, target);
          assert.equal(plainly(form, old.body), shown, target);
          const heads = JSON.stringify(answer.fields) + old.head;
          assert.ok(!heads.includes(write(`Bearer ${SECRET}`)) && !heads.includes(SECRET), target);
        }
      }
    });
  });
}

/** A placeholder needs no escapes, and gets none. */
function plainly(form: string, text: string): string {
  switch (form) {
    case "json-escaped":
      return JSON.stringify(JSON.parse(text));
    case "url-escaped":
      return decodeURIComponent(text);
    case "html":
      return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  }
  return text;
}

Deno.test("each coding that is asked for is decoded, and no other is", async () => {
  await withMasking({}, async (harness) => {
    await using client = await Http2Client.open(harness, HOST);
    for (const coding of Object.keys(CODINGS)) {
      const answer = await client.request([
        [":path", `/reflect/raw/${coding}/3`],
        ["accept-encoding", "compress, zstd, gzip"],
      ]);
      if (coding === "unknown") {
        assert.equal(answer.status, 502);
        assert.equal(JSON.parse(answer.body.toString()).reason, "CONNECTOR_FAILURE");
      } else assert.equal(answer.body.toString(), `Bearer ${PLACEHOLDER}`, coding);
    }
    const echo = await client.request([
      [":path", "/echo"],
      ["accept-encoding", "compress, zstd, gzip"],
      ["range", "bytes=0-7"],
    ]);
    const { rawHeaders } = JSON.parse(echo.body.toString());
    assert.ok(rawHeaders.includes("zstd, gzip"));
    assert.ok(!rawHeaders.includes("range"));
  });
});

Deno.test("another host of the session shows no credential either, and another session's sees its own", async () => {
  await withMasking({}, async (harness) => {
    await using client = await Http2Client.open(harness, HOST);
    await using other = await Http2Client.open(harness, ELSEWHERE);
    const leaked = ["authorization", SECRET] as const;
    const before = await other.request([[":path", "/reflect/raw/identity/0"], leaked]);
    assert.equal(before.body.toString(), SECRET, "nobody has handed that out");
    await client.request([[":path", "/echo"]]);
    const after = await other.request([[":path", "/reflect/raw/identity/0"], leaked]);
    assert.equal(after.body.toString(), PLACEHOLDER);
    harness.gate.decideWith = (input) => harness.gate.allow(input, { sessionId: "ses_other" });
    const apart = await other.request([[":path", "/reflect/raw/identity/0"], leaked]);
    assert.equal(apart.body.toString(), SECRET);
  });
});

Deno.test("a WebSocket shows no credential in the frames of its server", async () => {
  await withMasking({ http1Upstream: true }, async (harness) => {
    await using raw = await openTlsTunnel(harness, HOST);
    await raw.write(
      `GET /socket HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
        "Sec-WebSocket-Key: dGVzdA==\r\nSec-WebSocket-Version: 13\r\n" +
        "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n",
    );
    const head = await raw.until("\r\n\r\n");
    assert.match(head, /^HTTP\/1.1 101 /);
    // The server of this test sends back what it gets, so that these are its frames.
    await raw.write(Buffer.from(`\x81${String.fromCharCode(SECRET.length)}${SECRET}`, "latin1"));
    const size = String.fromCharCode(PLACEHOLDER.length);
    assert.equal(await raw.take(PLACEHOLDER.length + 2), `\x81${size}${PLACEHOLDER}`);
    await raw.write("\xc1\x01x");
    assert.equal(await raw.rest(), "", "a compressed frame passes nothing on");
  });
});

Deno.test("what an answer holds is given back once its call is over, however that ends", async () => {
  const upstream = await startUpstream(HOST);
  let closed = 0;
  const credentials: CallCredentials = {
    ...NO_CREDENTIALS,
    incoming: (response) => ({ ...response, close: () => void closed++ }),
  };
  try {
    await using harness = await startHarness(upstream, { credentials });
    await using client = await Http2Client.open(harness, HOST);
    await client.request([[":path", "/status/200"]]);
    await eventually("the first", () => closed === 1 || undefined);
    await using leaving = await Http2Client.open(harness, HOST);
    const { stream } = leaving.start({ fields: [[":path", "/sse"]] });
    await stream.wait();
    leaving.connection.close();
    leaving.conn.close();
    await eventually("the second", () => closed === 2 || undefined);
  } finally {
    await upstream.close();
  }
});

Deno.test("a credential that is too short to be found in answers does not leave", async () => {
  await withMasking({ issued: { secrets: ["1234567"] } }, async (harness) => {
    await using client = await Http2Client.open(harness, HOST);
    const answer = await client.request([[":path", "/echo"]]);
    assert.equal(answer.status, 502);
    assert.equal(JSON.parse(answer.body.toString()).reason, "CREDENTIAL_INJECTION_FAILED");
  });
});
