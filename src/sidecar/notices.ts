import type { FirmaError } from "../core/result.ts";

/** How much an operator should care. */
export type NoticeLevel = "info" | "warn" | "error";

/** Tells the operator something, one line each. */
export type Notify = (level: NoticeLevel, text: string) => void;

/** An error as one line: where, what, and what to do. */
export function errorLine({ at, message, cure }: FirmaError): string {
  const place = at === undefined
    ? ""
    : [at.file, at.line, at.column].filter((part) => part !== undefined).join(":") + ": ";
  return place + message + (cure === undefined ? "" : ` (${cure})`);
}
