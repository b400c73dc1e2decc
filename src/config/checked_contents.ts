import { sha256 } from "../core/sha256.ts";
import { join } from "../core/path.ts";
import { ensurePrivateDirectory } from "./paths.ts";
import { userId } from "./user_id.ts";
import { VERSION } from "./version.ts";

/** How many contents are remembered. */
const CAPACITY = 64;
const ENTRY = /^[0-9a-f]{64}\.json$/;

/**
 * Remembers which policies and mappings this version of firma found valid, and
 * what it derived from them, because that is most of what starting costs. One
 * file a content (mode 0600, named by a digest of the content) in a directory of
 * this user's own: what somebody else could have written counts for nothing, what
 * cannot be read is made again, and what cannot be written will be. Who forges it
 * could as well exchange the keys that lie beside it, which no agent can see.
 */
export class CheckedContents {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** What was derived from exactly this content, a value for JSON; `undefined`: it is not known. */
  get(content: unknown): unknown {
    try {
      const directory = Deno.lstatSync(this.#directory);
      if (!directory.isDirectory || !isOwn(directory)) return undefined;
      const file = this.#file(content);
      const entry = Deno.lstatSync(file);
      if (!entry.isFile || !isOwn(entry)) return undefined;
      return JSON.parse(Deno.readTextFileSync(file)) ?? undefined;
    } catch {
      return undefined;
    }
  }

  /** Remembers a content that was found valid and gave no cause for a warning. */
  add(content: unknown, derived: unknown): void {
    try {
      if (!ensurePrivateDirectory(this.#directory).ok) return;
      const file = this.#file(content);
      const draft = `${file}.${crypto.randomUUID()}`;
      Deno.writeTextFileSync(draft, JSON.stringify(derived), { createNew: true, mode: 0o600 });
      Deno.renameSync(draft, file);
      this.#forgetOldest();
    } catch {
      // The next start takes longer.
    }
  }

  #file(content: unknown): string {
    const digest = sha256(JSON.stringify([VERSION, content]));
    return join(this.#directory, `${digest}.json`);
  }

  #forgetOldest(): void {
    const entries = [...Deno.readDirSync(this.#directory)].filter(({ name }) => ENTRY.test(name));
    if (entries.length <= CAPACITY) return;
    const aged = entries.map(({ name }) => {
      const file = join(this.#directory, name);
      return { file, made: Deno.lstatSync(file).mtime?.getTime() ?? 0 };
    });
    aged.sort((a, b) => b.made - a.made);
    for (const { file } of aged.slice(CAPACITY)) Deno.removeSync(file);
  }
}

function isOwn({ uid, mode }: Deno.FileInfo): boolean {
  return uid === userId() && ((mode ?? 0) & 0o022) === 0;
}
