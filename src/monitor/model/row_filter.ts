import type { Row } from "./row.ts";

/** Which rows a person wants to see of all that were read. */
export interface RowFilter {
  /** Words that must all occur somewhere in a row, in whatever case. */
  readonly words: string;
  readonly onlyDenied: boolean;
  /** `""`: of every agent. */
  readonly agentId: string;
}

/** Tells which rows `filter` lets through. */
export function rowMatcher({ words, onlyDenied, agentId }: RowFilter): (row: Row) => boolean {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  return (row) => {
    if (onlyDenied && row.word !== "DENY") return false;
    if (agentId !== "" && row.agentId !== agentId) return false;
    if (wanted.length === 0) return true;
    const { word, method, what, actionClass, reason } = row;
    const text = `${word} ${method} ${what} ${actionClass} ${row.agentId} ${reason}`.toLowerCase();
    return wanted.every((part) => text.includes(part));
  };
}
