import assert from "node:assert/strict";
import { ReplayBody } from "../../../src/net/http/replay_body.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** A body that comes in these pieces, one at a time, each gone when the next is taken. */
function body(pieces: readonly string[], failing = false): ReplayBody {
  const waiting: (string | undefined)[] = pieces.flatMap((piece) => [undefined, piece]);
  const buffer = new Uint8Array(64);
  return new ReplayBody({
    length: undefined,
    trailers: [],
    take() {
      buffer.fill(0);
      if (waiting.length === 0) {
        if (failing) throw new Error("connection reset");
        return null;
      }
      const piece = waiting.shift();
      if (piece === undefined) return undefined;
      buffer.set(bytes(piece));
      return buffer.subarray(0, piece.length);
    },
    wait: () => Promise.resolve(),
  }, () => {});
}

async function rest(subject: ReplayBody): Promise<string> {
  let text = "";
  for (;;) {
    const piece = subject.take();
    if (piece === null) return text;
    if (piece === undefined) await subject.wait();
    else text += new TextDecoder().decode(piece);
  }
}

Deno.test("readPrefix() gives the beginning of a body, which is then sent whole", async () => {
  const subject = body(["one ", "two ", "three ", "four"]);
  const { bytes, whole } = await subject.readPrefix(6);
  assert.equal(new TextDecoder().decode(bytes), "one two ");
  assert.equal(whole, false);
  assert.equal(await rest(subject), "one two three four");
});

Deno.test("readPrefix() gives all of a body that is small", async () => {
  const subject = body(["one ", "two"]);
  const { bytes, whole } = await subject.readPrefix(7);
  assert.equal(new TextDecoder().decode(bytes), "one two");
  assert.equal(whole, true);
  assert.equal(await rest(subject), "one two");
});

Deno.test("readAhead() gives a body whole or not at all", async () => {
  const small = body(["one ", "two"]);
  assert.equal(new TextDecoder().decode(await small.readAhead(7)), "one two");
  const large = body(["one ", "two"]);
  assert.equal(await large.readAhead(6), undefined);
  assert.equal(await rest(large), "one two");
});

Deno.test("readPrefix() rejects when the body breaks off", async () => {
  await assert.rejects(body(["one"], true).readPrefix(100), /connection reset/);
});
