import { newId } from "../core/id.ts";
import { formsOf, isMaskable, type MaskForm } from "./mask_forms.ts";
import { MaskTable } from "./mask_table.ts";

/** Beyond that the ones that were used longest ago are forgotten, most of which expired long before. */
const MOST_SECRETS = 1_000;

/** What must not reach the agent of a session, and what it sees in its place. */
export class SessionSecrets {
  /** Forms by secret, the ones learnt or used last at the end. */
  readonly #known = new Map<string, { readonly placeholder: string; readonly forms: MaskForm[] }>();
  /** Secrets by what is shown in their place. */
  readonly #shown = new Map<string, string>();
  #table: MaskTable | undefined;

  /**
   * Learns a secret; `placeholder` is what the agent holds for it, one is made up where it holds
   * none. What is too short to be told from other text is not learnt: `false`.
   */
  learn(secret: string, placeholder?: string): boolean {
    if (!isMaskable(secret)) return false;
    const known = this.#known.get(secret);
    if (known !== undefined && (placeholder ?? known.placeholder) === known.placeholder) {
      return this.renew(secret);
    }
    const shown = placeholder ?? newId("fsp");
    this.#shown.set(shown, secret);
    this.#known.set(secret, {
      placeholder: shown,
      forms: formsOf({ secret, placeholder: shown }),
    });
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_SECRETS) break;
      this.#shown.delete(this.#known.get(oldest)!.placeholder);
      this.#known.delete(oldest);
    }
    this.#table = undefined;
    return true;
  }

  /** A known secret is in use, so that others are forgotten before it; `false`: it is not known. */
  renew(secret: string): boolean {
    const known = this.#known.get(secret);
    if (known === undefined) return false;
    this.#known.delete(secret);
    this.#known.set(secret, known);
    return true;
  }

  /** What is shown in the place of a secret, if it is known. */
  placeholderOf(secret: string): string | undefined {
    return this.#known.get(secret)?.placeholder;
  }

  /** The secret that a placeholder is shown for, as long as it is masked in answers. */
  secretOf(placeholder: string): string | undefined {
    return this.#shown.get(placeholder);
  }

  /** Everything to look for as it is now. */
  get table(): MaskTable {
    return this.#table ??= new MaskTable([...this.#known.values()].flatMap(({ forms }) => forms));
  }
}
