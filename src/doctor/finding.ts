/** How grave a finding is, mildest first. */
export const STATUSES = ["ok", "warn", "fail"] as const;

/** One of {@linkcode STATUSES}. */
export type Status = typeof STATUSES[number];

/** A repair that loses nothing, for `--fix`. */
export interface Repair {
  /** What it does, as `removed "…"`. */
  readonly done: string;
  /**
   * Returns what a person has to know besides, a line each.
   *
   * @throws What the file system throws.
   */
  readonly apply: () => readonly string[] | void;
}

/** What a check has found. The texts are not escaped, but for `cure`. */
export interface Finding {
  readonly status: Status;
  /** One line. */
  readonly reason: string;
  /** Further lines. */
  readonly detail?: string;
  /** One command of a POSIX shell, on one line; there unless the status is `ok`. */
  readonly cure?: string;
  readonly repair?: Repair;
}

/** A finding under the name of its check. */
export interface NamedFinding extends Finding {
  readonly category: string;
}

/** A finding without need of action. */
export function fine(reason: string, detail?: string): Finding {
  return { status: "ok", reason, ...(detail && { detail }) };
}

/** The gravest of several statuses; `ok` of none. */
export function worst(statuses: Iterable<Status>): Status {
  const found = new Set(statuses);
  return STATUSES.findLast((status) => found.has(status)) ?? "ok";
}
