import { escapeForTerminal } from "../../core/escape.ts";
import type { ComponentEntry, Entry } from "../source/entry.ts";
import { formatEvent, localTime, paint } from "./event_line.ts";

/** How lines are shown. */
export interface LineOptions {
  /** Print the lines of the logs instead of readable ones. */
  readonly json: boolean;
  /** Whether the reader is a terminal: it gets escapes instead of controls in JSON as well. */
  readonly terminal: boolean;
  readonly colour: boolean;
}

const DAMAGED = 'LOG     damaged: a line is not an audit record; see "firma audit verify"';

// Some terminals obey C1 controls in UTF-8, and all obey bidirectional ones.
const CONTROLS = /[\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;
// In a line that is not JSON the rest may stand as well.
// deno-lint-ignore no-control-regex -- controls are what this looks for
const ALL_CONTROLS = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * The line that shows an entry, without a newline; `undefined` where there is
 * none to show. JSON of the audit log is the bytes of the log.
 */
export function lineOf(entry: Entry, options: LineOptions): string | undefined {
  if (entry.kind === "component") {
    return options.json ? componentJson(entry, options) : componentLine(entry, options);
  }
  if (options.json) {
    // A program gets the bytes of the log; a terminal the same JSON with its controls escaped.
    const controls = entry.kind === "damaged" ? ALL_CONTROLS : CONTROLS;
    return options.terminal ? entry.raw.replace(controls, jsonEscape) : entry.raw;
  }
  return entry.kind === "damaged" ? DAMAGED : formatEvent(entry.event, entry.decided, options);
}

function componentJson({ source, raw }: ComponentEntry, { terminal }: LineOptions): string {
  const text = JSON.stringify({ source, raw });
  return terminal ? text.replace(CONTROLS, jsonEscape) : text;
}

function componentLine(
  { atMs, source, sandboxId, text }: ComponentEntry,
  { colour }: LineOptions,
): string {
  const fields = sandboxId === "" ? "" : ` ${paint("sandbox=", "grey", colour)}${sandboxId}`;
  const time = paint(localTime(new Date(atMs)), "grey", colour);
  return `${time} ${paint(source, "cyan", colour)} ${escapeForTerminal(text)}${fields}`;
}

function jsonEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
