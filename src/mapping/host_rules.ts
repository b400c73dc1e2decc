import { type Alias, findWithAliases, type Found } from "./alias.ts";
import { PathTrie } from "./path_trie.ts";
import type { MappingRule } from "./rule.ts";

/** The rules of one host pattern. Reading them can be put off until a call asks for them. */
export class HostRules {
  readonly #trie = new PathTrie();
  readonly #aliases: Alias[] = [];
  #size = 0;
  #putOff: (() => readonly MappingRule[])[] = [];

  add(rule: MappingRule): void {
    this.#trie.add(rule);
    this.#size++;
  }

  /** Adds another address of paths that rules are for. The most specific one counts. */
  addAlias(alias: Alias): void {
    this.#aliases.push(alias);
    this.#aliases.sort((a, b) => b.path.length - a.path.length);
  }

  /** Other addresses of paths that rules are for. */
  get aliases(): readonly Alias[] {
    return this.#aliases;
  }

  /** The most specific rule that matches, by way of an alias too. */
  find(segments: readonly string[], method: string, query: string): Found | undefined {
    return findWithAliases(this.trie, this.#aliases, segments, method, query);
  }

  /** Adds the rules that `read` returns, when they are first needed. */
  putOff(read: () => readonly MappingRule[]): void {
    this.#putOff.push(read);
  }

  /** The rules by path; reads what was put off. Throws what reading throws, each time anew. */
  get trie(): PathTrie {
    for (let read = this.#putOff.at(-1); read; read = this.#putOff.at(-1)) {
      read().forEach((rule) => this.add(rule));
      this.#putOff.pop();
    }
    return this.#trie;
  }

  /** Number of rules; reads what was put off. */
  get size(): number {
    return this.trie && this.#size;
  }
}
