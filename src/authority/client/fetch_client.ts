import type { UniversalClientFn } from "@connectrpc/connect/protocol";

/**
 * The HTTP client of Connect, over `fetch` with `http`. Hears of an abort by itself: `fetch` of Deno
 * 2.9.4 forgets its signal with the next garbage collection, and a stream whose silence was noticed
 * would never be given up.
 */
export function fetchClient(http: Deno.HttpClient): UniversalClientFn {
  return async ({ url, method, header, body, signal }) => {
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => {});
    const onAbort = () => reject(signal!.reason);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
    try {
      const answer = fetch(url, {
        method,
        headers: header,
        body: body && await whole(body),
        redirect: "error",
        client: http,
        signal: signal ?? null,
      });
      // Should it come all the same, there is nobody to read it.
      answer.then((late) => {
        if (signal?.aborted) late.body?.cancel().catch(() => {});
      }, () => {});
      const response = await Promise.race([answer, aborted]);
      return {
        status: response.status,
        header: response.headers,
        body: pieces(response.body, signal),
        trailer: new Headers(),
      };
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  };
}

/** A request: one message, however many answers it has. */
async function whole(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of body) pieces.push(new Uint8Array(piece));
  return await new Blob(pieces).bytes();
}

async function* pieces(
  body: ReadableStream<Uint8Array> | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  const cancel = () => void reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (signal?.aborted) throw signal.reason;
      if (done) return;
      yield value;
    }
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
}
