import { type EventFilter, type SearchedParts, searchedParts } from "./event_filter.ts";

/** A line that fits, and its time, by which lines of several logs are put in order. */
export interface Match {
  readonly timestamp: string;
  readonly line: string;
}

/** Whether a line has the words that it needs to fit: far cheaper than reading it as JSON. */
export function mayFit(line: string, { agent, session, decision }: EventFilter): boolean {
  return [agent, session, decision].every((word) => word === undefined || line.includes(word));
}

/** What a line is found by; `undefined` for one that is no event. */
export function partsOf(line: string): SearchedParts | undefined {
  try {
    const members: unknown = JSON.parse(line);
    if (typeof members !== "object" || members === null) return undefined;
    return searchedParts(members as Readonly<Record<string, unknown>>);
  } catch {
    return undefined;
  }
}
