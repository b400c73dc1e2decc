import type { FirmaError } from "../core/result.ts";

/** How much an operator should care. */
export type NoticeLevel = "info" | "warn" | "error";

/** Tells the operator something, one line each; `sessionId` is given where it concerns one alone. */
export type Notify = (level: NoticeLevel, text: string, sessionId?: string) => void;

/** An error as one line: where, what, and what to do. */
export function errorLine({ at, message, cure }: FirmaError): string {
  const place = at === undefined
    ? ""
    : [at.file, at.line, at.column].filter((part) => part !== undefined).join(":") + ": ";
  return place + message + (cure === undefined ? "" : ` (${cure})`);
}

/** Hands each notice on to whoever listens at that moment. */
export class NoticeBoard {
  readonly #listeners = new Set<Notify>();

  readonly tell: Notify = (level, text, sessionId) => {
    for (const listener of this.#listeners) listener(level, text, sessionId);
  };

  /** Has `listener` hear what comes; returns how to stop that. */
  listen(listener: Notify): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}
