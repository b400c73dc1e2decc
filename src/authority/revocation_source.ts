import { dirname } from "../core/path.ts";
import type { Revocation } from "../core/authority.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { Broadcast } from "./broadcast.ts";
import { ChangeLoop } from "./change_loop.ts";
import { delay } from "../core/delay.ts";
import { parseRevocations, type RevocationList } from "./revocation_list.ts";

const SETTLE_MS = 100;
const POLL_MS = 500;

type RevocationFile =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "missing" }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * The revoked tokens of a file, kept up to date. A token that appears in the file
 * is revoked at once; one that disappears is only forgotten when two reads 100 ms
 * apart agree, and never because the file vanished, cannot be read or is empty.
 */
export class RevocationSource {
  readonly #file: string;
  readonly #onError: (error: FirmaError) => void;
  readonly #updates = new Broadcast<readonly Revocation[]>();
  #revocations: readonly Revocation[] = [];
  #tokenIds: ReadonlySet<string> = new Set();
  #dealtWith: RevocationFile;
  #loop: ChangeLoop | undefined;

  private constructor(file: string, first: RevocationFile, onError: (error: FirmaError) => void) {
    this.#file = file;
    this.#onError = onError;
    this.#dealtWith = first;
  }

  /** Reads the file, which need not be there yet, and goes on watching it. */
  static async open(
    file: string,
    onError: (error: FirmaError) => void,
  ): Promise<Result<RevocationSource>> {
    const first = await readRevocationFile(file);
    if (first.kind === "unreadable") return err(unreadable(file, first.reason));
    const source = new RevocationSource(file, first, onError);
    if (first.kind === "text") {
      const { revocations, errors } = source.#parse(first.text);
      source.#keep(revocations);
      errors.forEach(onError);
    }
    source.#loop = ChangeLoop.start({
      directories: [dirname(file)],
      pollMs: POLL_MS,
      look: (signal) => source.#look(signal),
    });
    return ok(source);
  }

  /** Everything that is revoked. */
  get revocations(): readonly Revocation[] {
    return this.#revocations;
  }

  /** The identifiers of all revoked tokens. */
  get tokenIds(): ReadonlySet<string> {
    return this.#tokenIds;
  }

  /** The whole list, then after each change the whole list again. */
  updates(signal: AbortSignal): AsyncIterable<readonly Revocation[]> {
    return this.#updates.subscribe(() => [this.#revocations], signal);
  }

  /** Stops watching. */
  async close(): Promise<void> {
    await this.#loop?.close();
  }

  async #look(signal: AbortSignal): Promise<void> {
    let state = await readRevocationFile(this.#file);
    while (!same(state, this.#dealtWith)) {
      if (state.kind === "text") this.#add(this.#parse(state.text).revocations);
      await delay(SETTLE_MS, signal);
      if (signal.aborted) return;
      const again = await readRevocationFile(this.#file);
      if (same(again, state)) {
        this.#dealtWith = state;
        return this.#settle(state);
      }
      state = again;
    }
  }

  #settle(state: RevocationFile): void {
    if (state.kind === "text" && (state.text.trim() !== "" || this.#revocations.length === 0)) {
      const { revocations, errors } = this.#parse(state.text);
      errors.forEach(this.#onError);
      this.#replace(revocations);
    } else if (state.kind === "unreadable") {
      this.#onError(unreadable(this.#file, state.reason));
    } else if (this.#revocations.length > 0) {
      this.#onError({
        code: "REVOCATIONS_LOST",
        message: `Cannot forget the revoked tokens of "${this.#file}": the file ${
          state.kind === "missing" ? "vanished" : "became empty"
        }`,
        cure: "put it back; to revoke nothing any more, leave a line that starts with #",
        at: { file: this.#file },
      });
    }
  }

  #parse(text: string): RevocationList {
    const known = new Map(this.#revocations.map((entry) => [entry.tokenId, entry]));
    const nowText = new Date().toISOString();
    const list = parseRevocations(this.#file, text, nowText);
    // An identifier alone stays revoked at the time that it was first seen.
    const revocations = list.revocations.map((entry) =>
      entry.timestamp === nowText ? known.get(entry.tokenId) ?? entry : entry
    );
    return { ...list, revocations };
  }

  #add(revocations: readonly Revocation[]): void {
    const known = this.tokenIds;
    const added = revocations.filter(({ tokenId }) => !known.has(tokenId));
    if (added.length > 0) this.#publish([...this.#revocations, ...added]);
  }

  #replace(revocations: readonly Revocation[]): void {
    if (JSON.stringify(revocations) !== JSON.stringify(this.#revocations)) {
      this.#publish(revocations);
    }
  }

  #publish(revocations: readonly Revocation[]): void {
    this.#keep(revocations);
    this.#updates.publish(revocations);
  }

  #keep(revocations: readonly Revocation[]): void {
    this.#revocations = revocations;
    this.#tokenIds = new Set(revocations.map(({ tokenId }) => tokenId));
  }
}

async function readRevocationFile(file: string): Promise<RevocationFile> {
  try {
    const { isFile } = await Deno.stat(file);
    if (!isFile) return { kind: "unreadable", reason: "it is not a regular file" };
    // Bytes that are no text are replaced, so that the lines around them still count.
    return { kind: "text", text: new TextDecoder().decode(await Deno.readFile(file)) };
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return { kind: "missing" };
    return { kind: "unreadable", reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

function same(a: RevocationFile, b: RevocationFile): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function unreadable(file: string, reason: string): FirmaError {
  return {
    code: "REVOCATIONS_UNREADABLE",
    message: `Cannot read the revocation file "${file}": ${reason}`,
    cure: "make it a file that firma can read",
    at: { file },
  };
}
