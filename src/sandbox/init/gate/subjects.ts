import { basename } from "../../../core/path.ts";
import type { Identified } from "./describe.ts";

/** Which programs anybody is asked about, where an operator has named them. */
export class Subjects {
  /** Names, those of the paths too: a copy of what lies there goes by it. */
  readonly names: ReadonlySet<string>;
  /** Absolute paths. */
  readonly paths: readonly string[];
  readonly #isAll: boolean;

  /**
   * `only` are names and absolute paths; without it, everything is asked about. `carriers` may do
   * what any program does, and are asked about in any case.
   */
  constructor(only: readonly string[] | undefined, carriers: readonly string[]) {
    this.#isAll = only === undefined;
    const named = only ?? [];
    this.paths = named.filter((each) => each.startsWith("/"));
    this.names = new Set(only === undefined ? [] : [...named.map(basename), ...carriers]);
  }

  /** Whether an execution is asked about. */
  include({ names, interpreter }: Pick<Identified, "names" | "interpreter">): boolean {
    return this.#isAll ||
      [...names, ...interpreter?.names ?? []].some((name) => this.names.has(name));
  }
}
