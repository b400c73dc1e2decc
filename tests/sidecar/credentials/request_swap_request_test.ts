import assert from "node:assert/strict";
import fc from "fast-check";
import type { Body } from "../../../src/net/byte_source.ts";
import { mintPlaceholder } from "../../../src/secrets/placeholder_shapes.ts";
import { PlaceholderDesk } from "../../../src/sidecar/credentials/request_desk.ts";
import { swapRequest } from "../../../src/sidecar/credentials/request_swap.ts";
import type { ForwardVerdict } from "../../../src/sidecar/gate.ts";
import { type OutgoingRequest, UpstreamFailure } from "../../../src/sidecar/transport/upstream.ts";

const OWN = mintPlaceholder("github");
const SECRET = "the real secret";
const SESSION = "ses_a";

const desk = new PlaceholderDesk([{
  label: "code",
  edition: "1",
  hosts: [{ host: "api.code.test", port: 443 }],
  paths: [],
  actionClasses: [],
  header: "authorization",
}]);
desk.book.open(SESSION, [{ text: OWN, label: "code", part: 0 }]);

/** A body in pieces, some of which have to be waited for. */
class PiecesBody implements Body {
  readonly trailers = [["x-after", "1"]] as const;
  readonly length: number | undefined;
  readonly #pieces: Uint8Array[];
  #held = true;

  constructor(pieces: readonly string[], length?: number) {
    this.length = length;
    this.#pieces = pieces.map((piece) => new TextEncoder().encode(piece));
  }

  take(): Uint8Array | undefined | null {
    this.#held = !this.#held;
    if (!this.#held) return undefined;
    return this.#pieces.shift() ?? null;
  }

  wait(): Promise<void> {
    return Promise.resolve();
  }
}

function request(changes: Partial<OutgoingRequest>): OutgoingRequest {
  return {
    method: "POST",
    scheme: "https",
    authority: "api.code.test",
    target: "/things",
    fields: [],
    spellings: undefined,
    takesTrailers: false,
    webSocket: false,
    body: undefined,
    ...changes,
  };
}

function verdict(placeholders: ForwardVerdict["placeholders"], host = "api.code.test") {
  const call = { method: "POST", scheme: "https", host, port: 443, path: "/things", query: "" };
  const need = {
    label: "code",
    edition: "1",
    host,
    port: 443,
    actionClass: "issue.write",
    resource: "",
  };
  return {
    kind: "forward",
    call,
    actionClass: "issue.write",
    sessionId: SESSION,
    need: { ...need, sessionId: SESSION, agentId: "" },
    ...(placeholders && { placeholders }),
  } as unknown as ForwardVerdict;
}

const KNOWN = { labels: ["code"], isBodyKnown: true };
const UNKNOWN = { labels: [], isBodyKnown: false };

/** What comes out of a body; `heard` has it also when the body fails. */
async function read(body: Body, heard: (text: string) => void = () => {}): Promise<string> {
  let text = "";
  for (;;) {
    const piece = body.take();
    if (piece === null) return text;
    if (piece === undefined) await body.wait();
    else heard(text += new TextDecoder().decode(piece));
  }
}

Deno.test("swapRequest() puts the secret into headers, query and body, and the length is right", async () => {
  const text = JSON.stringify({ token: OWN, note: "x" });
  const body = new PiecesBody([text.slice(0, 20), text.slice(20)], text.length);
  const { request: sent, headers } = await swapRequest(
    request({
      target: `/things?access_token=${OWN}&x=1`,
      fields: [
        ["content-type", "application/json"],
        ["authorization", `Basic ${btoa(`x:${OWN}`)}`],
        ["content-md5", "x"],
      ],
      spellings: ["Content-Type", "Authorization", "Content-MD5"],
      body,
    }),
    verdict(KNOWN),
    desk,
    [SECRET],
  );
  assert.equal(sent.target, `/things?access_token=${encodeURIComponent(SECRET)}&x=1`);
  assert.deepEqual(sent.fields, [
    ["content-type", "application/json"],
    ["authorization", `Basic ${btoa(`x:${SECRET}`)}`],
  ]);
  assert.deepEqual(sent.spellings, ["Content-Type", "Authorization"]);
  assert.deepEqual([...headers], ["authorization"]);
  const { length } = sent.body!;
  const arrived = await read(sent.body!);
  assert.deepEqual(JSON.parse(arrived), { token: SECRET, note: "x" });
  assert.equal(arrived.length, length);
  assert.deepEqual(sent.body!.trailers, [["x-after", "1"]]);
});

Deno.test("swapRequest() leaves a request alone that the pipeline found nothing in", () => {
  const plain = request({ fields: [["authorization", OWN]] });
  const swapped = swapRequest(plain, verdict(undefined), desk, [SECRET]);
  assert.ok(!(swapped instanceof Promise));
  assert.equal(swapped.request, plain);
});

Deno.test("swapRequest() judges each placeholder again, whatever the verdict says", async () => {
  const other = request({ fields: [["authorization", OWN]] });
  const failed = (run: () => unknown) => {
    try {
      run();
    } catch (error) {
      assert.ok(error instanceof UpstreamFailure);
      assert.equal(error.reason, "CREDENTIAL_INJECTION_FAILED");
      assert.ok(!error.message.includes(SECRET));
      return error.message;
    }
    assert.fail("it went out");
  };
  const elsewhere = failed(() => swapRequest(other, verdict(KNOWN, "evil.test"), desk, [SECRET]));
  assert.match(elsewhere, /not for this host/);
  assert.match(failed(() => swapRequest(other, verdict(KNOWN), desk, [])), /stands for nothing/);
  const lines = failed(() => swapRequest(other, verdict(KNOWN), desk, ["a\r\nx: y"]));
  assert.match(lines, /no text in one line/);
  await assert.rejects(
    async () =>
      await swapRequest(
        request({
          fields: [["content-type", "application/json"]],
          body: new PiecesBody([JSON.stringify({ body: OWN })]),
        }),
        verdict(KNOWN),
        desk,
        [SECRET],
      ),
    /in a part of the body that is not for secrets/,
  );
});

Deno.test("a body that nobody looked through ends before the placeholder in it, wherever it is cut", async () => {
  const before = "x".repeat(50);
  const text = `${before}${OWN}and what comes after it`;
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
  await fc.assert(fc.asyncProperty(sizes, async (sizes) => {
    const pieces: string[] = [];
    for (let at = 0, i = 0; at < text.length; i++) {
      const size = sizes[i % sizes.length]!;
      pieces.push(text.slice(at, at + size));
      at += size;
    }
    const body = new PiecesBody(pieces, text.length);
    const { request: sent } = await swapRequest(request({ body }), verdict(UNKNOWN), desk, []);
    assert.equal(sent.body!.length, text.length);
    let left = "";
    await assert.rejects(read(sent.body!, (text) => left = text), UpstreamFailure);
    assert.ok(text.startsWith(left));
    assert.ok(left.length < before.length + OWN.length);
    assert.throws(() => sent.body!.take(), UpstreamFailure);
  }));
});

Deno.test("a body that nobody looked through goes on byte by byte where it holds none", async () => {
  const text = JSON.stringify({ token: "own", a: ["b", { c: 'x"y' }] });
  for (const type of ["application/json", "text/plain", "application/x-www-form-urlencoded"]) {
    const body = new PiecesBody([text.slice(0, 9), text.slice(9)]);
    const fields = [["content-type", type]] as const;
    const said = await swapRequest(request({ body, fields }), verdict(UNKNOWN), desk, []);
    assert.equal(await read(said.request.body!), text);
  }
});
