import type { StoredValue } from "../../secrets/learnt.ts";
import { PlaceholderBook } from "../../secrets/placeholder.ts";
import { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import type { SecretStore } from "../../secrets/store/secret_store.ts";
import type { CredentialTarget } from "./request_judge.ts";

/** No credential is called so. */
export function storeLabel(id: string): string {
  return `secret store ${id}`;
}

/** What the data plane knows about credentials without holding any: where they go, and their placeholders. */
export class PlaceholderDesk {
  #targets: readonly CredentialTarget[];
  #former: readonly CredentialTarget[];
  readonly book = new PlaceholderBook();
  /** Where values of secret stores may go; calls are not given any of them unasked. */
  readonly bindings: readonly CredentialTarget[];
  /** Tells what a session was shown a placeholder of. */
  secretOf: (sessionId: string, placeholder: string) => string | undefined = () => undefined;
  #search = new PlaceholderSearch([]);
  #version = 0;

  /** @param former where credentials went that there are none of any more. @default nowhere */
  constructor(
    targets: readonly CredentialTarget[] = [],
    stores: readonly Pick<SecretStore, "id" | "hosts">[] = [],
    former: readonly CredentialTarget[] = [],
  ) {
    this.#targets = targets;
    this.#former = former;
    this.bindings = stores.map(({ id, hosts }) => ({
      label: storeLabel(id),
      edition: "",
      hosts,
      paths: [],
      actionClasses: [],
      header: "authorization",
    }));
  }

  /** Where credentials go. */
  get targets(): readonly CredentialTarget[] {
    return this.#targets;
  }

  /** Where any credential goes or went: what is there may know a secret of a session. */
  get everyTarget(): readonly CredentialTarget[] {
    return this.#former.length === 0 ? this.#targets : [...this.#targets, ...this.#former];
  }

  /** Other credentials are in force. Placeholders go on standing for those of their label. */
  setTargets(targets: readonly CredentialTarget[], former: readonly CredentialTarget[]): void {
    this.#targets = targets;
    this.#former = former;
  }

  /** Whether the credential that is meant is in force, and not another one of its name. */
  isInForce({ label, edition }: Pick<CredentialTarget, "label" | "edition">): boolean {
    return this.#targets.some((each) => each.label === label && each.edition === edition);
  }

  /** Has the placeholder of a value of a store recognised, in whatever the session sends. */
  noteStored(sessionId: string, { placeholder: text, store, isUsable }: StoredValue): void {
    if (!isUsable || this.book.get(text) !== undefined) return;
    this.book.open(sessionId, [{ text, label: storeLabel(store), part: 0 }]);
  }

  /** The value of a store, `label`, that a session was shown a placeholder of. */
  storedValue(sessionId: string, label: string, placeholder: string): string | undefined {
    const isStore = this.bindings.some((each) => each.label === label);
    return isStore ? this.secretOf(sessionId, placeholder) : undefined;
  }

  /** Everything that says where a placeholder may go. */
  get judges(): readonly CredentialTarget[] {
    return this.bindings.length === 0 ? this.targets : [...this.targets, ...this.bindings];
  }

  /** For every placeholder that is known. */
  get search(): PlaceholderSearch {
    if (this.#version !== this.book.version) {
      this.#version = this.book.version;
      this.#search = new PlaceholderSearch(this.book.texts);
    }
    return this.#search;
  }

  /** Whether there is anything to look for. */
  get isIdle(): boolean {
    return this.targets.length === 0 && this.search.longest === 0;
  }
}
