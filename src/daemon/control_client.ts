/**
 * Asks the control API of a Sidecar. Speaks HTTP/1.0 by itself, in which a body ends with its
 * connection: loading and starting the client of Deno takes longer than everything else that
 * joining a Sidecar needs.
 */
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { after } from "../core/after.ts";
import { readPieces } from "../core/read_pieces.ts";
import { closeQuietly } from "../net/close_quietly.ts";
import { writeAll } from "../net/write_all.ts";

/** Longest status line and header fields of an answer, in bytes. */
const LONGEST_HEAD = 16 * 1024;
/** Longest answer that is read as a whole, in bytes. */
const LONGEST_BODY = 4 * 1024 * 1024;
const HEAD_END = "\r\n\r\n";

/** An answer of which the head has come. */
export interface ControlAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Ends the connection. */
  close(): void;
}

/** What is asked. */
export interface ControlRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

/** How long to wait. */
export interface ControlPatience {
  /** How long a Sidecar may take to answer, in milliseconds. @default 30_000 */
  readonly timeoutMs?: number;
  /** Ends the waiting before that. */
  readonly signal?: AbortSignal;
  /** Called when the request is on its way. */
  readonly onSent?: () => void;
}

const DEFAULT_TIMEOUT_MS = 30_000;

/**
 * Asks at a socket, and gives the answer when its head has come; the body may go on for as long as
 * it likes. Fails with `SIDECAR_UNREACHABLE`.
 */
export async function openControl(
  socket: string,
  { method, path, body }: ControlRequest,
  { timeoutMs = DEFAULT_TIMEOUT_MS, signal, onSent }: ControlPatience = {},
): Promise<Result<ControlAnswer>> {
  let conn: Deno.UnixConn | undefined;
  const giveUp = () => closeQuietly(conn);
  const callOff = after(timeoutMs, giveUp);
  signal?.addEventListener("abort", giveUp, { once: true });
  try {
    conn = await Deno.connect({ transport: "unix", path: socket });
    const bytes = new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body));
    const head = `${method} ${path} HTTP/1.0\r\nhost: sidecar\r\n` +
      `content-type: application/json\r\ncontent-length: ${bytes.length}${HEAD_END}`;
    // At once: a server that has answered a request without a body closes before more comes.
    await writeAll(conn, concat(new TextEncoder().encode(head), bytes));
    onSent?.();
    const read = await readHead(conn);
    if (read === undefined) return unreachable(socket, "its answer is none");
    const { status, rest } = read;
    const kept = conn;
    conn = undefined;
    return ok({ status, body: bodyOf(kept, rest), close: () => closeQuietly(kept) });
  } catch (cause) {
    return unreachable(socket, cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    callOff();
    signal?.removeEventListener("abort", giveUp);
    closeQuietly(conn);
  }
}

/** Asks at a socket and reads the whole answer; one that is no success is an error. */
export async function askControl(
  socket: string,
  request: ControlRequest,
  timeoutMs: number = DEFAULT_TIMEOUT_MS,
): Promise<Result<unknown>> {
  const answer = await openControl(socket, request, { timeoutMs });
  if (!answer.ok) return answer;
  const { status, body, close } = answer.value;
  const callOff = after(timeoutMs, close);
  try {
    const value = await readJson(body);
    return status < 300 ? ok(value) : err(problemOf(value));
  } catch (cause) {
    return unreachable(socket, cause instanceof Error ? cause.message : String(cause), cause);
  } finally {
    callOff();
    close();
  }
}

/** The error that an answer without success describes (RFC 9457). */
export async function readProblem({ body, close }: ControlAnswer): Promise<FirmaError> {
  try {
    return problemOf(await readJson(body));
  } catch {
    return problemOf(undefined);
  } finally {
    close();
  }
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

async function readHead(
  conn: Deno.UnixConn,
): Promise<{ readonly status: number; readonly rest: Uint8Array<ArrayBuffer> } | undefined> {
  const buffer = new Uint8Array(LONGEST_HEAD);
  for (let length = 0; length < buffer.length;) {
    const count = await conn.read(buffer.subarray(length));
    if (count === null) return undefined;
    length += count;
    // Header fields are ASCII, so that a character is a byte.
    const end = new TextDecoder("latin1").decode(buffer.subarray(0, length)).indexOf(HEAD_END);
    if (end < 0) continue;
    const status = /^HTTP\/1\.[01] (\d{3}) /.exec(
      new TextDecoder("latin1").decode(buffer.subarray(0, end)),
    )?.[1];
    if (status === undefined) return undefined;
    return { status: Number(status), rest: buffer.slice(end + HEAD_END.length, length) };
  }
}

async function* bodyOf(
  conn: Deno.UnixConn,
  rest: Uint8Array<ArrayBuffer>,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  try {
    if (rest.length > 0) yield rest;
    yield* readPieces(conn);
  } catch {
    // A connection that broke has ended, and says nothing that matters beyond that.
  } finally {
    closeQuietly(conn);
  }
}

async function readJson(body: ControlAnswer["body"]): Promise<unknown> {
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of body) {
    text += decoder.decode(piece, { stream: true });
    if (text.length > LONGEST_BODY) throw new RangeError("the answer is too long");
  }
  return text === "" ? undefined : JSON.parse(text);
}

function problemOf(value: unknown): FirmaError {
  const { code, detail, cure } = (value ?? {}) as Readonly<Record<string, unknown>>;
  return {
    code: typeof code === "string" ? code : "SIDECAR_REFUSED",
    message: typeof detail === "string" ? detail : "Cannot use the Sidecar: it refuses",
    ...(typeof cure === "string" && { cure }),
  };
}

function unreachable(socket: string, reason: string, cause?: unknown): Result<never> {
  return err({
    code: "SIDECAR_UNREACHABLE",
    message: `Cannot reach the Sidecar at "${socket}": ${reason}`,
    cure: "firma sidecar status tells what runs; firma sidecar start --detach starts one",
    cause,
  });
}
