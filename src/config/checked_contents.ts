import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { VERSION } from "./version.ts";

/** How many contents are remembered. */
const CAPACITY = 64;
const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Remembers in a file (mode 0600) which policies and mappings this version of
 * firma found valid, because validation is half of what starting costs. A hint
 * and no more: what cannot be read was not checked, and what cannot be written is
 * checked again. Who forges it could as well exchange the keys that lie beside
 * it, and gains that a mistake is not named at once: see `markChecked()` for
 * policies; a mapping is read again in full where calls are decided by it.
 */
export class CheckedContents {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Whether exactly this content, a value for JSON, was found valid. */
  has(content: unknown): boolean {
    return this.#read().includes(digestOf(content));
  }

  /** Remembers a content that was found valid and gave no cause for a warning. */
  add(content: unknown): void {
    const digest = digestOf(content);
    const others = this.#read().filter((known) => known !== digest);
    const lines = [digest, ...others].slice(0, CAPACITY);
    const draft = `${this.#file}.${crypto.randomUUID()}`;
    try {
      Deno.mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      Deno.writeTextFileSync(draft, `${lines.join("\n")}\n`, { createNew: true, mode: 0o600 });
      Deno.renameSync(draft, this.#file);
    } catch {
      // The next start takes longer.
    }
  }

  #read(): string[] {
    try {
      const { isFile, uid, mode } = Deno.lstatSync(this.#file);
      const own = isFile && uid === Deno.uid() && ((mode ?? 0) & 0o022) === 0;
      return own ? Deno.readTextFileSync(this.#file).split("\n").filter((l) => DIGEST.test(l)) : [];
    } catch {
      return [];
    }
  }
}

function digestOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify([VERSION, content])).digest("hex");
}
