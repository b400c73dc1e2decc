import * as v from "valibot";
import { parseTimestamp } from "../../core/timestamp.ts";
import { readFileIfThere, replaceFile, withFileLock } from "./files.ts";
import type { IssuedToken } from "./store.ts";

/** How long a token is remembered after it expired, in milliseconds: longer than any session lasts. */
export const REMEMBERED_MS = 30 * 24 * 3_600_000;

const Line = v.union([
  v.object({
    token_id: v.string(),
    agent_id: v.string(),
    session_id: v.string(),
    issued_at: v.string(),
    expiry: v.string(),
  }),
  /** A session whose token was revoked, or is no longer. */
  v.object({ session_id: v.string(), stopped: v.boolean() }),
]);

/**
 * The tokens that were issued, in a file of JSON lines, by session. Lines are
 * only ever appended, each in one write, so that several processes may.
 */
export class TokenLog {
  readonly #file: Deno.FsFile;
  readonly #tokens = new Map<string, string[]>();
  readonly #sessions = new Map<string, string>();
  readonly #stopped = new Set<string>();

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Reads the log and drops what nobody needs any more. */
  static async open(path: string, nowMs: number = Date.now()): Promise<TokenLog> {
    const lines = await withFileLock(path, async () => {
      const all = (await readFileIfThere(path) ?? "").split("\n").filter((line) => line !== "");
      const needed = all.filter((line) => isNeeded(line, nowMs));
      if (needed.length < all.length / 2) {
        await replaceFile(path, needed.map((line) => `${line}\n`).join(""));
      }
      return needed;
    });
    const file = await Deno.open(path, { append: true, create: true, mode: 0o600 });
    const log = new TokenLog(file);
    for (const line of lines) log.#take(line);
    return log;
  }

  /** Remembers a token. */
  add({ tokenId, agentId, sessionId, issuedAt, expiry }: IssuedToken): void {
    this.#write({
      token_id: tokenId,
      agent_id: agentId,
      session_id: sessionId,
      issued_at: issuedAt,
      expiry,
    });
  }

  /** The tokens of a session. */
  tokensOf(sessionId: string): readonly string[] {
    return this.#tokens.get(sessionId) ?? [];
  }

  /** The session of a token. */
  sessionOf(tokenId: string): string | undefined {
    return this.#sessions.get(tokenId);
  }

  /** Whether a session gets no tokens any more. */
  isStopped(sessionId: string): boolean {
    return this.#stopped.has(sessionId);
  }

  /** Says whether a session gets tokens. */
  setStopped(sessionId: string, stopped: boolean): void {
    if (this.#stopped.has(sessionId) !== stopped) this.#write({ session_id: sessionId, stopped });
  }

  /** Closes the file. */
  close(): void {
    this.#file.close();
  }

  #write(entry: v.InferOutput<typeof Line>): void {
    const line = JSON.stringify(entry);
    const bytes = new TextEncoder().encode(`${line}\n`);
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    this.#take(line);
  }

  #take(line: string): void {
    const entry = parseLine(line);
    if (entry === undefined) return; // torn by a crash: nobody got that token
    if ("stopped" in entry) {
      if (entry.stopped) this.#stopped.add(entry.session_id);
      else this.#stopped.delete(entry.session_id);
      return;
    }
    const tokens = this.#tokens.get(entry.session_id) ?? [];
    tokens.push(entry.token_id);
    this.#tokens.set(entry.session_id, tokens);
    this.#sessions.set(entry.token_id, entry.session_id);
  }
}

function parseLine(line: string): v.InferOutput<typeof Line> | undefined {
  try {
    const parsed = v.safeParse(Line, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

function isNeeded(line: string, nowMs: number): boolean {
  const entry = parseLine(line);
  if (entry === undefined || "stopped" in entry) return true;
  const expiryMs = parseTimestamp(entry.expiry);
  return expiryMs === undefined || expiryMs + REMEMBERED_MS > nowMs;
}
