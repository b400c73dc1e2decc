import { PlaceholderBook } from "../../secrets/placeholder.ts";
import { PlaceholderSearch } from "../../secrets/placeholder_search.ts";
import type { CredentialTarget } from "./request_judge.ts";

/** What the data plane knows about credentials without holding any: where they go, and their placeholders. */
export class PlaceholderDesk {
  readonly targets: readonly CredentialTarget[];
  readonly book = new PlaceholderBook();
  #search = new PlaceholderSearch([]);
  #version = 0;

  constructor(targets: readonly CredentialTarget[] = []) {
    this.targets = targets;
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
