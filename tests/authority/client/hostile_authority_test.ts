/** What whoever answers in the Authority's place may do to a Sidecar. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { RemoteAuthority } from "../../../src/authority/client/remote_authority.ts";
import { acceptEach } from "../../../src/net/accept.ts";
import { closeQuietly } from "../../../src/net/close_quietly.ts";
import * as h2 from "../../../src/net/http2/frame.ts";
import { encodeHpack } from "../../../src/net/http2/hpack_encoder.ts";
import { writeAll } from "../../../src/net/write_all.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { directory, Listener } from "../support.ts";
import { request, serve } from "../service/support.ts";

const settings = h2.settingsFrame([]);
const goAway = (last: number) => h2.numbersFrame(h2.GOAWAY, 0, last, h2.NO_ERROR);
const head = (stream: number, ...more: [string, string][]) =>
  Buffer.concat(
    h2.headersFrames(
      stream,
      encodeHpack(
        [[":status", "200"], ["content-type", "application/connect+proto"], ...more],
        true,
      ),
      false,
      16_384,
    ),
  );
const data = (stream: number, bytes: Uint8Array) => h2.frame(h2.DATA, 0, stream, bytes);
const many = (count: number, frame: (number: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, number) => frame(number)));

/** What it says once a client has said something, and then no more. */
const ANSWERS: Record<string, Buffer> = {
  "good-bye": Buffer.concat([settings, goAway(0)]),
  "good-bye before anything else": goAway(0),
  "good-bye to a stream that it is answering": Buffer.concat([settings, head(1), goAway(0)]),
  "good-bye to a stream that there is not": Buffer.concat([
    settings,
    goAway(0x7fff_ffff),
    goAway(1),
  ]),
  "good-bye, a thousand times": Buffer.concat([settings, many(1_000, (i) => goAway(i)), head(1)]),
  "an answer and good-bye, half of it said": Buffer.concat([
    settings,
    head(1),
    data(1, Uint8Array.of(0, 0, 0)),
    goAway(1),
    h2.numbersFrame(h2.RST_STREAM, 1, h2.CANCEL),
    data(1, Uint8Array.of(0)),
  ]),
  "a message without end": Buffer.concat([
    settings,
    head(1),
    data(1, Uint8Array.of(0, 0xff, 0xff, 0xff, 0xff, 1)),
    h2.numbersFrame(h2.GOAWAY, 0, 1, h2.NO_ERROR),
  ]),
  "settings, again and again": many(5_000, () => settings),
  "frames of streams that nobody opened": Buffer.concat([
    settings,
    head(7),
    data(9, Buffer.alloc(9)),
  ]),
  "a promise": Buffer.concat([
    settings,
    h2.frame(h2.PUSH_PROMISE, 4, 1, Buffer.from([0, 0, 0, 2])),
  ]),
  "no HTTP": Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nx"),
  "nonsense": Buffer.alloc(4_096, 0xff),
  "nothing, and it hangs up": Buffer.alloc(0),
};

/** A socket where every connection hears `answer`, and is closed then. */
function listen(path: string, answer: Buffer) {
  const listener = Deno.listen({ transport: "unix", path });
  let count = 0;
  const accepting = acceptEach(listener, async (conn) => {
    try {
      await conn.read(new Uint8Array(65_536));
      count++;
      await writeAll(conn, answer);
      // What its client still says until it goes, so that it hears all of the answer.
      if (answer.length > 0) { while (await conn.read(new Uint8Array(65_536)) !== null); }
    } catch { /* the client has gone first */ }
    closeQuietly(conn);
  });
  return {
    answered: () => count,
    async [Symbol.asyncDispose]() {
      listener.close();
      await accepting;
    },
  };
}

Deno.test("a hostile Authority gives a Sidecar nothing, and keeps nothing from it", async (t) => {
  await using good = await serve();
  await using place = await directory({});
  for (const [name, answer] of Object.entries(ANSWERS)) {
    await t.step(name, async () => {
      const path = `${place.path}/hostile.sock`;
      await using hostile = listen(path, answer);
      const opened = await RemoteAuthority.open({
        endpoints: [`unix://${path}`, good.endpoint],
        publicKey: good.key.publicKey,
        connectTimeoutMs: 1_000,
        issueTimeoutMs: 1_000,
        minBackoffMs: 1,
        maxBackoffMs: 10,
      });
      assert.ok(opened.ok);
      const remote = opened.value;
      // Both come to the other Authority in the end, over and past the hostile one.
      await using bundles = new Listener((signal) => remote.watchPolicyBundle(signal));
      await eventually(
        "a bundle",
        () => bundles.heard.some(({ kind }) => kind === "bundle") || undefined,
      );
      await eventually(
        "a token",
        async () => (await remote.issueCapability(request())).granted || undefined,
      );
      assert.ok(hostile.answered() > 0, "the hostile one was asked first");
      await bundles[Symbol.asyncDispose]();
      await remote.close();
    });
  }
});
