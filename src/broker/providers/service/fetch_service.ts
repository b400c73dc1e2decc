import { ok, type Result } from "../../../core/result.ts";
import type { AskService, ServiceAnswer } from "./ask.ts";
import { credentialFault, originOf } from "./fault.ts";

/** Options of {@linkcode fetchService}. */
export interface FetchServiceOptions {
  /** Certificates (PEM) that the service's may verify under, beside those of this machine. */
  readonly caCerts?: readonly string[] | undefined;
  /**
   * How long an answer may take, all of it, in milliseconds.
   * @default {15000}
   */
  readonly timeoutMs?: number;
  /**
   * How long an answer may be, in bytes, decompressed.
   * @default {262144}
   */
  readonly mostBytes?: number;
}

class TooLong extends Error {}
class NotText extends Error {}

/** An {@linkcode AskService} over `fetch`; to be closed when it is not needed any more. */
export function fetchService(
  { caCerts = [], timeoutMs = 15_000, mostBytes = 262_144 }: FetchServiceOptions = {},
): { readonly ask: AskService; close(): void } {
  const client = Deno.createHttpClient({ caCerts: [...caCerts] });
  const ask: AskService = async (request, signal) => {
    const origin = originOf(request.url);
    const over = new AbortController();
    const { promise: aborted, reject } = Promise.withResolvers<never>();
    aborted.catch(() => {});
    // `fetch` may forget its signal with a garbage collection, so the race below is what counts.
    const end = (reason: unknown) => {
      over.abort(reason);
      reject(reason);
    };
    const onAbort = () => end(signal.reason);
    signal.addEventListener("abort", onAbort);
    const timer = setTimeout(() => end(new DOMException("too late", "TimeoutError")), timeoutMs);
    if (signal.aborted) onAbort();
    try {
      const answering = fetch(request.url, {
        method: request.method,
        headers: request.headers,
        body: request.body ?? null,
        redirect: "manual",
        client,
        signal: over.signal,
      });
      answering.then((late) => {
        if (over.signal.aborted) late.body?.cancel().catch(() => {});
      }, () => {});
      const response = await Promise.race([answering, aborted]);
      if (response.status >= 300 && response.status < 400) {
        await response.body?.cancel();
        return credentialFault(
          "answer",
          origin,
          `it answered with a redirect (${response.status}), which is not followed`,
        );
      }
      const text = await boundedText(response.body, mostBytes, aborted);
      return ok({ status: response.status, mediaType: mediaType(response.headers), text });
    } catch (cause) {
      return failure(origin, cause, { timeoutMs, mostBytes, asked: signal });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  };
  return { ask, close: () => client.close() };
}

function mediaType(headers: Headers): string {
  return (headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
}

async function boundedText(
  body: ReadableStream<Uint8Array> | null,
  most: number,
  aborted: Promise<never>,
): Promise<string> {
  if (body === null) return "";
  const reader = body.getReader();
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), aborted]);
      if (done) break;
      bytes += value.length;
      if (bytes > most) throw new TooLong();
      pieces.push(new Uint8Array(value));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await new Blob(pieces).bytes());
  } catch {
    throw new NotText();
  }
}

function failure(
  origin: string,
  cause: unknown,
  { timeoutMs, mostBytes, asked }: {
    readonly timeoutMs: number;
    readonly mostBytes: number;
    readonly asked: AbortSignal;
  },
): Result<ServiceAnswer> {
  if (cause instanceof TooLong) {
    return credentialFault(
      "answer",
      origin,
      `its answer is longer than ${mostBytes} bytes`,
    );
  }
  if (cause instanceof NotText) {
    return credentialFault("answer", origin, "its answer is not UTF-8");
  }
  const state = asked.aborted
    ? "nobody waits for it any more"
    : cause instanceof DOMException && cause.name === "TimeoutError"
    ? `it took longer than ${timeoutMs} ms`
    : unreachable(cause);
  return credentialFault("unreachable", origin, state);
}

/** What the network said, in words of ours: the text of `fetch` may repeat the whole address. */
function unreachable(cause: unknown): string {
  const text = causes(cause).join(" ");
  if (/certificate|UnknownIssuer|NotValidForName/i.test(text)) {
    return "its certificate is not one that this machine trusts";
  }
  if (/dns error|failed to lookup|name or service/i.test(text)) return "its name is not known";
  if (/refused/i.test(text)) return "it refused the connection";
  if (cause instanceof Deno.errors.NotCapable) return "the broker may not connect to it";
  return "the connection failed";
}

function causes(cause: unknown): string[] {
  const found: string[] = [];
  for (
    let at = cause;
    at !== undefined && found.length < 8;
    at = (at as { cause?: unknown }).cause
  ) {
    found.push(String(at));
    if (!(at instanceof Error)) break;
  }
  return found;
}
