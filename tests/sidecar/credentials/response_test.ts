import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as zlib from "node:zlib";
import { eventually } from "../../fixtures/deadline.ts";
import { SessionSecrets } from "../../../src/secrets/session_secrets.ts";
import {
  maskedInterim,
  maskedResponse,
  searchableRequest,
} from "../../../src/sidecar/credentials/response.ts";
import {
  type OutgoingRequest,
  UpstreamFailure,
  type UpstreamResponse,
} from "../../../src/sidecar/transport/upstream.ts";
import { answer, inPieces, PiecesBody, readAll } from "./response_bodies.ts";

const SECRET = "sk-live-7Qm2Lw9ZtK4vB+/=";
const PLACEHOLDER = "sk-live-PLACEHOLDER_0001";
const STRICT = { strict: true };
const JSON_TYPE = ["content-type", "application/json; charset=utf-8"] as const;

function secrets(): SessionSecrets {
  const known = new SessionSecrets();
  assert.ok(known.learn(SECRET, PLACEHOLDER));
  return known;
}

const ENCODERS: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: (bytes) => zlib.gzipSync(bytes),
  "x-gzip": (bytes) => zlib.gzipSync(bytes),
  deflate: (bytes) => zlib.deflateSync(bytes),
  "deflate, without its wrapper": (bytes) => zlib.deflateRawSync(bytes),
  br: (bytes) => zlib.brotliCompressSync(bytes),
  zstd: (bytes) => zlib.zstdCompressSync(bytes),
  "gzip, br": (bytes) => zlib.brotliCompressSync(zlib.gzipSync(bytes)),
  "gzip of two members": (bytes) =>
    Buffer.concat([zlib.gzipSync(bytes.subarray(0, 20)), zlib.gzipSync(bytes.subarray(20))]),
};

for (const [name, encode] of Object.entries(ENCODERS)) {
  Deno.test(`maskedResponse() decodes ${name} and masks what is in it, however it is cut`, async () => {
    const text = JSON.stringify({ token: SECRET, rest: "x".repeat(300) });
    const bytes = encode(Buffer.from(text));
    const coding = name.replace(/ of .*|, without.*/, "");
    for (const size of [1, 7, bytes.length]) {
      const body = new PiecesBody(inPieces(bytes, size), [], bytes.length);
      const masked = maskedResponse(
        answer(
          [["content-encoding", coding], ["content-length", `${bytes.length}`], JSON_TYPE],
          body,
        ),
        secrets(),
        STRICT,
      );
      assert.deepEqual(masked.fields, [JSON_TYPE]);
      assert.equal(masked.body?.length, undefined);
      assert.equal((await readAll(masked.body)).toString(), text.replace(SECRET, PLACEHOLDER));
    }
  });
}

/** A part of a content that is to be shown before the rest of it comes. */
const FLUSHED: Readonly<Record<string, (text: string) => Buffer>> = {
  gzip: (text) => zlib.gzipSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  deflate: (text) => zlib.deflateSync(text, { finishFlush: zlib.constants.Z_SYNC_FLUSH }),
  br: (text) =>
    zlib.brotliCompressSync(text, { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH }),
  zstd: (text) => zlib.zstdCompressSync(text, { finishFlush: zlib.constants.ZSTD_e_flush }),
};

for (const [coding, flushed] of Object.entries(FLUSHED)) {
  Deno.test(`maskedResponse() shows an event under ${coding} before the next one comes`, async () => {
    const event = `data: ${SECRET} and ${"x".repeat(40)}\n\n`;
    const part = flushed(event);
    const next = Promise.withResolvers<void>();
    let pieces = 0;
    const source = {
      length: undefined,
      trailers: [],
      take: () => pieces++ === 1 ? part : undefined,
      wait: () => pieces === 1 ? Promise.resolve() : next.promise,
    };
    const masked = maskedResponse(
      answer([["content-encoding", coding]], source),
      secrets(),
      STRICT,
    );
    let shown = "";
    const reading = (async () => {
      for (;;) {
        const piece = masked.body!.take();
        if (piece === undefined) await masked.body!.wait();
        else shown += Buffer.from(piece!).toString();
      }
    })().catch(() => {});
    await eventually("the event", () => shown.endsWith("\n\n") || undefined);
    assert.equal(shown, event.replace(SECRET, PLACEHOLDER));
    next.reject(new Error("the server went away"));
    await reading;
  });
}

Deno.test("maskedResponse() breaks off what cannot be decoded", async () => {
  const bytes = zlib.gzipSync(Buffer.from("x".repeat(1_000)));
  const broken = Buffer.from(bytes);
  broken.fill(0xff, 12, 20);
  for (const content of [bytes.subarray(0, -4), broken, Buffer.from("plain text")]) {
    const body = new PiecesBody([content]);
    const masked = maskedResponse(answer([["content-encoding", "gzip"]], body), secrets(), STRICT);
    await assert.rejects(readAll(masked.body), UpstreamFailure);
  }
  const none = maskedResponse(
    answer([["content-encoding", "gzip"]], new PiecesBody([])),
    secrets(),
    STRICT,
  );
  assert.equal((await readAll(none.body)).length, 0);
});

Deno.test("maskedResponse() ends a content that expands beyond measure, and holds little of it", async () => {
  const bomb = zlib.zstdCompressSync(Buffer.alloc(100 * 1024 * 1024));
  const body = new PiecesBody([bomb]);
  const masked = maskedResponse(answer([["content-encoding", "zstd"]], body), secrets(), STRICT);
  let size = 0;
  const before = Deno.memoryUsage().rss;
  const read = async () => {
    for (;;) {
      const piece = masked.body!.take();
      if (piece === null) return;
      if (piece === undefined) await masked.body!.wait();
      else size += piece.length;
    }
  };
  await assert.rejects(read(), /expands beyond measure/);
  assert.ok(size < 80 * 1024 * 1024, `${size} bytes went on`);
  assert.ok(Deno.memoryUsage().rss - before < 200 * 1024 * 1024);
});

Deno.test("close() gives back what decoders hold of answers that nobody reads to their end", async () => {
  const bytes = zlib.brotliCompressSync(crypto.getRandomValues(new Uint8Array(60_000)));
  const before = Deno.memoryUsage().rss;
  for (let i = 0; i < 200; i++) {
    const source = new PiecesBody(inPieces(bytes, 30_000));
    const masked = maskedResponse(answer([["content-encoding", "br"]], source), secrets(), STRICT);
    while (masked.body!.take() === undefined) await masked.body!.wait();
    masked.close!();
    await assert.rejects(masked.body!.wait(), UpstreamFailure);
  }
  // Each decoder of Brotli holds four megabytes that no garbage collector knows of.
  assert.ok(Deno.memoryUsage().rss - before < 400 * 1024 * 1024);
});

Deno.test("maskedResponse() takes no zstd that wants to be remembered for ever", async () => {
  const params = { [zlib.constants.ZSTD_c_windowLog]: 27 };
  const bytes = zlib.zstdCompressSync(Buffer.alloc(20 * 1024 * 1024, SECRET), { params });
  const source = new PiecesBody([bytes]);
  const masked = maskedResponse(answer([["content-encoding", "zstd"]], source), secrets(), STRICT);
  await assert.rejects(readAll(masked.body), /zstd content cannot be decoded/);
});

Deno.test("maskedResponse() passes on nothing of what it cannot search whole", () => {
  const cases: readonly (readonly [string, UpstreamResponse])[] = [
    ["an unknown coding", answer([["content-encoding", "compress"]], new PiecesBody([]))],
    ["too many codings", answer([["content-encoding", "gzip, gzip, gzip, gzip"]])],
    ["a range", answer([["content-range", "bytes 0-9/100"]], undefined, { status: 206 })],
  ];
  for (const [name, response] of cases) {
    assert.throws(() => maskedResponse(response, secrets(), STRICT), UpstreamFailure, name);
  }
  const elsewhere = { strict: false };
  maskedResponse(cases[0]![1], secrets(), elsewhere);
  maskedResponse(cases[2]![1], secrets(), elsewhere);
  const codedRange = answer([["content-range", "bytes 0-9/100"], ["content-encoding", "gzip"]]);
  assert.throws(() => maskedResponse(codedRange, secrets(), elsewhere), UpstreamFailure);
});

Deno.test("maskedResponse() masks a field at the very end of a head", () => {
  const [last] = maskedResponse(answer([["x-last", SECRET]]), secrets(), STRICT).fields;
  assert.deepEqual(last, ["x-last", PLACEHOLDER]);
  const clean = answer([["x-last", SECRET.slice(0, -1)]]);
  assert.deepEqual(maskedResponse(clean, secrets(), STRICT).fields, clean.fields);
});

Deno.test("maskedResponse() masks status line, fields, their names, and trailers", async () => {
  const basic = `Basic ${Buffer.from(`user:${SECRET}`).toString("base64")}`;
  const response = answer(
    [["x-echo", `Bearer ${SECRET}`], ["x-basic", basic], ["x-url", encodeURIComponent(SECRET)]],
    new PiecesBody([Buffer.from("body")], [["x-last", SECRET]]),
    { reason: `Hello ${SECRET}`, spellings: ["X-Echo", "X-Basic", "X-URL"] },
  );
  const masked = maskedResponse(response, secrets(), STRICT);
  assert.equal(masked.reason, `Hello ${PLACEHOLDER}`);
  assert.deepEqual(masked.fields, [
    ["x-echo", `Bearer ${PLACEHOLDER}`],
    ["x-basic", `Basic ${Buffer.from(`user:${PLACEHOLDER}`).toString("base64")}`],
    ["x-url", PLACEHOLDER],
  ]);
  assert.deepEqual(masked.spellings, ["X-Echo", "X-Basic", "X-URL"]);
  await readAll(masked.body);
  assert.deepEqual(masked.body?.trailers, [["x-last", PLACEHOLDER]]);
  assert.deepEqual(maskedInterim([["link", SECRET]], secrets()), [["link", PLACEHOLDER]]);
  const named = answer([["x-sk", "1"]], undefined, { spellings: [`X-${"K".repeat(8)}-x`] });
  const known = new SessionSecrets();
  known.learn(`${"K".repeat(8)}-x`, "fsp_Name");
  const renamed = maskedResponse(named, known, STRICT);
  assert.deepEqual([renamed.fields, renamed.spellings], [[["x-fsp_name", "1"]], ["X-fsp_Name"]]);
});

Deno.test("maskedResponse() keeps the size of contents that count their bytes", async () => {
  const known = new SessionSecrets();
  known.learn(SECRET, "fsp_much_longer_than_the_secret_itself");
  const bytes = Buffer.from(`\x00\x18${SECRET}\x00${Buffer.from(SECRET).toString("base64")}`);
  const fields = [["content-type", "image/png"], ["content-length", `${bytes.length}`]] as const;
  const body = new PiecesBody(inPieces(bytes, 9), [], bytes.length);
  const masked = maskedResponse(answer(fields, body), known, STRICT);
  assert.deepEqual(masked.fields, fields);
  assert.equal(masked.body?.length, bytes.length);
  const out = await readAll(masked.body);
  assert.equal(out.length, bytes.length);
  assert.equal(out.toString("latin1", 2, 26), "fsp_much_longer_than_the");
  assert.equal(
    Buffer.from(out.toString("latin1", 27), "base64").toString(),
    "fsp_much_longer_than_the",
  );
});

function message(text: string, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(Buffer.byteLength(text), 1);
  return Buffer.concat([head, Buffer.from(text)]);
}

Deno.test("maskedResponse() lets each gRPC message go as soon as it is whole", () => {
  const fields = [["content-type", "application/grpc+proto"]] as const;
  const first = message(`one ${SECRET.slice(0, 4)}`);
  const second = message(`two ${SECRET}`);
  const pieces = [first, second.subarray(0, 12), second.subarray(12), message("x", 1)];
  const { body } = maskedResponse(answer(fields, new PiecesBody(pieces)), secrets(), STRICT);
  const next = () => {
    void body!.wait();
    return Buffer.from(body!.take() ?? []).toString("latin1");
  };
  assert.equal(next(), first.toString("latin1"));
  assert.equal(next() + next(), message(`two ${PLACEHOLDER}`).toString("latin1"));
  assert.throws(next, /a message is compressed/);
});

Deno.test("maskedResponse() says nothing of the bytes that it may have changed", () => {
  const fields = [
    ["content-md5", "x"],
    ["digest", "x"],
    ["content-digest", "x"],
    ["repr-digest", "x"],
    ["x-amz-checksum-crc32", "x"],
    ["accept-ranges", "bytes"],
    ["etag", '"1"'],
  ] as const;
  const masked = maskedResponse(answer(fields, new PiecesBody([])), secrets(), STRICT);
  assert.deepEqual(masked.fields, [["etag", '"1"']]);
});

function request(fields: readonly (readonly [string, string])[]): OutgoingRequest {
  return {
    method: "GET",
    scheme: "https",
    authority: "api.test",
    target: "/",
    fields,
    spellings: fields.map(([name]) => name.toUpperCase()),
    takesTrailers: false,
    webSocket: false,
    body: undefined,
  };
}

Deno.test("searchableRequest() asks for nothing that could not be searched", () => {
  const sent = searchableRequest(
    request([
      ["accept-encoding", "gzip;q=1.0, compress, *;q=0.5, Zstd, br"],
      ["range", "bytes=0-3"],
      ["if-range", '"1"'],
      ["grpc-accept-encoding", "gzip"],
      ["sec-websocket-extensions", "permessage-deflate"],
      ["accept", "*/*"],
    ]),
    STRICT,
  );
  assert.deepEqual(sent.fields, [["accept-encoding", "gzip;q=1.0, Zstd, br"], ["accept", "*/*"]]);
  assert.deepEqual(sent.spellings, ["ACCEPT-ENCODING", "ACCEPT"]);
  const elsewhere = searchableRequest(
    request([["range", "bytes=0-3"], ["accept-encoding", "gzip"]]),
    { strict: false },
  );
  assert.deepEqual(elsewhere.fields, [["range", "bytes=0-3"], ["accept-encoding", "identity"]]);
  const unknown = searchableRequest(request([["accept-encoding", "compress"]]), STRICT);
  assert.deepEqual(unknown.fields, [["accept-encoding", "identity"]]);
});
