import { createHash } from "node:crypto";
import { dirname } from "node:path";
import { VERSION } from "../config/version.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";

/** How many bundles are remembered. */
const CAPACITY = 64;
const DIGEST = /^[0-9a-f]{64}$/;

/**
 * Remembers in a file (mode 0600) which bundles this version of firma found
 * valid, because validation is half of what starting costs. A hint and no more:
 * what cannot be read was not checked, and what cannot be written is checked
 * again. Who forges it could as well exchange the keys that lie beside it, and
 * gains that a mistake in a policy is not named, see `markChecked()`.
 */
export class CheckedBundles {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** Whether a bundle of exactly this content was found valid. */
  has(bundle: PolicyBundle): boolean {
    return this.#read().includes(digestOf(bundle));
  }

  /** Remembers a bundle that was found valid and gave no cause for a warning. */
  add(bundle: PolicyBundle): void {
    const digest = digestOf(bundle);
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

function digestOf({ schema, policies }: PolicyBundle): string {
  const texts = policies.map(({ file, text }) => [file, text]);
  return createHash("sha256").update(JSON.stringify([VERSION, schema, texts])).digest("hex");
}
