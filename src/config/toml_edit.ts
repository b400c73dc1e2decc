/**
 * Changes single keys of a TOML document and leaves everything else as it is, down
 * to comments and white space. Each edit is read back: one that would mean anything
 * else than what was asked for is refused.
 */
import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { err, ok, type Result } from "../core/result.ts";
import { isTable } from "./reader.ts";
import { pathKey, type Span, type Spans, type TomlPath, tomlSpans } from "./toml_positions.ts";
import { tomlValue } from "./toml_value.ts";
import type { Json } from "./value_type.ts";

/** Names of tables, and then of a key. */
export type KeyPath = readonly [string, ...string[]];

/** Gives the key at `path` a value; error `CONFIG_NOT_EDITABLE`. The text must be valid TOML. */
export function setKey(text: string, path: KeyPath, value: Json): Result<string> {
  const spans = tomlSpans(text);
  const there = spans.values.get(pathKey(path));
  const edited = there === undefined
    ? insert(text, spans, path, value)
    : Array.isArray(value)
    ? replaceList(text, spans, path, there, value)
    : splice(text, there, tomlValue(value));
  return verified(text, edited, path, (table, name) => table[name] = value, tomlValue(value));
}

/** Takes the key or the table at `path` out; error `CONFIG_NOT_EDITABLE`. */
export function removeKey(text: string, path: KeyPath): Result<string> {
  const spans = tomlSpans(text);
  const begins = (longer: TomlPath) => path.every((part, index) => longer[index] === part);
  const starts = spans.headers.map(({ start }) => start);
  const gone: Span[] = [];
  for (const header of spans.headers.filter((each) => begins(each.path))) {
    const next = starts.find((start) => start > header.start) ?? text.length;
    const last = spans.pairs.findLast(({ start }) => start > header.start && start < next);
    gone.push({ start: header.start, end: last?.end ?? header.end });
  }
  const isGone = ({ start }: Span) => gone.some((each) => each.start <= start && start < each.end);
  for (const pair of spans.pairs) if (begins(pair.path) && !isGone(pair)) gone.push(pair);
  const edited = gone.sort((a, b) => b.start - a.start)
    .reduce((rest, span) => splice(rest, wholeLines(rest, span), ""), text);
  return verified(text, edited, path, (table, name) => delete table[name], undefined);
}

function splice(text: string, { start, end }: Span, middle: string): string {
  return text.slice(0, start) + middle + text.slice(end);
}

function lineFeed(text: string): string {
  return text.includes("\r\n") ? "\r\n" : "\n";
}

function startOfLine(text: string, offset: number): number {
  return text.lastIndexOf("\n", offset - 1) + 1;
}

/** The offset behind the line that `offset` is in. */
function endOfLine(text: string, offset: number): number {
  const feed = text.indexOf("\n", offset);
  return feed < 0 ? text.length : feed + 1;
}

/** The lines of a span; the span itself where something else is on them. */
function wholeLines(text: string, { start, end }: Span): Span {
  const before = text.slice(startOfLine(text, start), start);
  const after = text.slice(end, endOfLine(text, end));
  if (before.trim() !== "" || !/^[ \t]*,?[ \t]*(?:#.*)?\r?\n?$/.test(after)) return { start, end };
  return { start: start - before.length, end: end + after.length };
}

function insert(text: string, spans: Spans, path: KeyPath, value: Json): string {
  const feed = lineFeed(text);
  const name = path.at(-1)!;
  const line = `${name} = ${tomlValue(value)}${feed}`;
  const table = path.slice(0, -1);
  const header = spans.headers.find((each) => pathKey(each.path) === pathKey(table));
  const whole = text === "" || text.endsWith("\n") ? text : text + feed;
  if (header === undefined && table.length > 0) {
    return `${whole}${whole === "" ? "" : feed}[${table.join(".")}]${feed}${line}`;
  }
  const from = header?.end ?? 0;
  const next = spans.headers.find(({ start }) => start >= from)?.start ?? text.length;
  const commentedOut = new RegExp(`^[ \\t]*#[ \\t]*${name}[ \\t]*=`, "m")
    .exec(text.slice(from, next));
  const last = spans.pairs.findLast(({ start }) => start >= from && start < next);
  const behind = commentedOut ? from + commentedOut.index + commentedOut[0].length : last?.end;
  const at = endOfLine(whole, behind ?? from);
  return splice(whole, { start: header || behind ? at : 0, end: header || behind ? at : 0 }, line);
}

function replaceList(
  text: string,
  spans: Spans,
  path: KeyPath,
  there: Span,
  value: readonly Json[],
): string {
  const old = text.slice(there.start, there.end);
  const feed = lineFeed(text);
  if (!old.includes("#")) {
    const isLong = old.includes("\n");
    const indent = /\n([ \t]+)/.exec(old)?.[1] ?? "  ";
    return splice(
      text,
      there,
      isLong && value.length > 0
        ? `[${feed}${value.map((each) => `${indent}${tomlValue(each)},${feed}`).join("")}]`
        : tomlValue(value),
    );
  }
  // There are comments between its members: take lines out, and put lines before its end.
  const wanted = value.map(tomlValue);
  const members: Span[] = [];
  for (let index = 0;; index++) {
    const member = spans.values.get(pathKey([...path, index]));
    if (member === undefined) break;
    members.push(member);
  }
  const kept = members.filter((span) => wanted.includes(text.slice(span.start, span.end)));
  const keptTexts = kept.map((span) => text.slice(span.start, span.end));
  const added = wanted.filter((each) => !keptTexts.includes(each));
  const indent = /\n([ \t]+)["']/.exec(old)?.[1] ?? "  ";
  const lines = added.map((each) => `${indent}${each},${feed}`).join("");
  let edited = splice(text, { start: there.end - 1, end: there.end - 1 }, lines);
  const last = members.at(-1);
  if (last && added.length > 0 && !/^[ \t]*,/.test(text.slice(last.end))) {
    edited = splice(edited, { start: last.end, end: last.end }, ",");
  }
  const gone = members.filter((span) => !kept.includes(span));
  return gone.reverse().reduce((rest, span) => splice(rest, wholeLines(rest, span), ""), edited);
}

function verified(
  before: string,
  after: string,
  path: KeyPath,
  change: (table: Record<string, unknown>, name: string) => void,
  wanted: string | undefined,
): Result<string> {
  const refused = err({
    code: "CONFIG_NOT_EDITABLE",
    message: `Cannot change "${path.join(".")}": it is written in a way that only you can edit`,
    cure: wanted === undefined
      ? `take it out yourself`
      : `write ${path.at(-1)} = ${wanted} into [${path.slice(0, -1).join(".")}] yourself`,
  });
  try {
    const expected = parse(before) as Record<string, unknown>;
    let table = expected;
    for (const name of path.slice(0, -1)) {
      const inner = Object.hasOwn(table, name) ? table[name] : table[name] = {};
      if (!isTable(inner)) return refused;
      table = inner;
    }
    change(table, path.at(-1)!);
    return isDeepStrictEqual(plain(parse(after)), plain(expected)) ? ok(after) : refused;
  } catch {
    return refused;
  }
}

/** Tables that hold nothing mean nothing, and prototypes differ. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isTable(value)) return value;
  const entries = Object.entries(value).map(([name, inner]) => [name, plain(inner)] as const);
  return new Map(entries.filter(([, inner]) => !(inner instanceof Map && inner.size === 0)));
}
