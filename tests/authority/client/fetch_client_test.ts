import assert from "node:assert/strict";
import v8 from "node:v8";
import vm from "node:vm";
import { fetchClient } from "../../../src/authority/client/fetch_client.ts";
import { eventually } from "../../fixtures/deadline.ts";

v8.setFlagsFromString("--expose-gc");
const collect: () => void = vm.runInNewContext("gc");

/** A server whose answers have `pieces` at once, and no end; no piece is no answer either. */
function server(pieces: number) {
  let asked = 0;
  const more: (() => void)[] = [];
  const served = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    asked++;
    if (pieces === 0) return new Promise<Response>((resolve) => more.push(() => resolve(answer())));
    return answer();
  });
  const answer = () =>
    new Response(
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (let i = 0; i < pieces; i++) controller.enqueue(new Uint8Array([i]));
          more.push(() => controller.enqueue(new Uint8Array([99])));
        },
      }),
    );
  const http = Deno.createHttpClient({});
  const ask = fetchClient(http);
  return {
    ask: (signal: AbortSignal) =>
      ask({
        url: `http://127.0.0.1:${served.addr.port}/`,
        method: "GET",
        header: new Headers(),
        signal,
      }),
    asked: () => eventually("the request", () => asked > 0 || undefined),
    more: () => more.shift()?.(),
    [Symbol.asyncDispose]: async () => {
      http.close();
      while (more.length > 0) more.shift()!();
      await served.shutdown();
    },
  };
}

/** Collects garbage until what nobody holds is gone. */
async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

// Deno 2.9.4's own fetch forgets its signal with the garbage: reading would go on for ever.
Deno.test("fetchClient() breaks a stream off that is aborted, however long it lasted", async () => {
  await using stream = server(1);
  const abort = new AbortController();
  const { body } = await stream.ask(abort.signal);
  const pieces = body[Symbol.asyncIterator]();
  assert.deepEqual((await pieces.next()).value, new Uint8Array([0]));
  const next = pieces.next();
  await collectGarbage();
  stream.more();
  assert.deepEqual((await next).value, new Uint8Array([99]), "it goes on without an abort");
  const last = pieces.next();
  await collectGarbage();
  abort.abort(new Error("silence"));
  await assert.rejects(last, /silence/);
});

Deno.test("fetchClient() gives up a request that is aborted before its answer", async () => {
  await using stream = server(0);
  const abort = new AbortController();
  const answer = stream.ask(abort.signal);
  await stream.asked();
  await collectGarbage();
  abort.abort(new Error("silence"));
  await assert.rejects(answer, /silence/);
  await assert.rejects(stream.ask(abort.signal), /silence/);
});
