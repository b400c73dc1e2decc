import assert from "node:assert/strict";
import { ABORT_REASONS, DENY_REASONS } from "../../src/core/decision.ts";
import { misunderstood } from "../fixtures/command_line.ts";
import { CHECKS } from "../../src/doctor/checks.ts";

const DOCUMENT = Deno.readTextFileSync(new URL("../../docs/troubleshooting.md", import.meta.url));

/** Faults that stay between parts of firma: what comes of them has another code. */
const INTERNAL = [
  "AUTHORITY", // the beginning of a code
  "SIDECAR",
  "MALFORMED_REQUEST", // becomes the reason of a denial
  "UNCLASSIFIED_INTENT",
  "PROXY_ELSEWHERE",
  "SESSION_SOCKET",
];

function* sources(directory: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory && name !== "proto") yield* sources(new URL(`${name}/`, directory));
    else if (name.endsWith(".ts")) yield Deno.readTextFileSync(new URL(name, directory));
  }
}

const SOURCES = [...sources(new URL("../../src/", import.meta.url))];

/** The codes of all errors in `src`, one or both of a condition. */
const CODES = new Set(
  SOURCES.flatMap((text) =>
    [...text.matchAll(/\bcode: ?(?:[^",;{}]*\? )?"([A-Z][A-Z0-9_]+)"(?: : "([A-Z][A-Z0-9_]+)")?/g)]
      .flatMap(([, one, other]) => [one!, ...(other ? [other] : [])])
  ),
);

interface Row {
  readonly message: string;
  readonly codes: readonly string[];
  readonly cure: string;
}

const ROWS: readonly Row[] = DOCUMENT.split("\n").flatMap((line) => {
  const [, message, codes, cure] = line.split("|").map((cell) => cell.trim());
  const names = [...(codes ?? "").matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map((match) => match[1]!);
  return names.length === 0 ? [] : [{ message: message!, codes: names, cure: cure! }];
});

Deno.test("docs/troubleshooting.md has every error that somebody can meet, with its cure", () => {
  assert.ok(CODES.has("BWRAP_MISSING") && CODES.has("POLICY_FILE_EMPTIED"));
  const documented = new Set(ROWS.flatMap(({ codes }) => codes));
  const missing = [...CODES].filter((code) => !documented.has(code) && !INTERNAL.includes(code));
  assert.deepEqual(missing.sort(), [], "write what to do about these");
  assert.deepEqual([...documented].filter((code) => !CODES.has(code)), [], "these are gone");
  assert.deepEqual(ROWS.filter(({ cure }) => cure === ""), []);
});

Deno.test("docs/troubleshooting.md quotes messages as the program says them", () => {
  // Text that the source has in several pieces, in one.
  const said = SOURCES.map((text) => text.replaceAll(/["`] \+\s+["`]/g, ""));
  const wrong: string[] = [];
  for (const { message } of ROWS) {
    const pieces = message.split(/[…"]/).map((piece) => piece.trim());
    for (const piece of pieces.filter((piece) => /[a-z]{3}/i.test(piece))) {
      if (message.startsWith("A message of")) continue; // its words are not ours
      if (!said.some((text) => text.includes(piece))) wrong.push(`${message}: "${piece}"`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("docs/troubleshooting.md has every reason that an agent can be told", () => {
  const missing = [...DENY_REASONS, ...ABORT_REASONS]
    .filter((reason) => !DOCUMENT.includes(`| \`${reason}\``));
  assert.deepEqual(missing, []);
});

Deno.test("docs/troubleshooting.md has every check of firma doctor, in order", () => {
  const section = DOCUMENT.split("## What `firma doctor` looks at")[1]!;
  const documented = section.split("\n").filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...line.split("|")[1]!.matchAll(/`([^`]+)`/g)].map((match) => match[1]));
  assert.deepEqual(documented, CHECKS.map(({ category }) => category));
});

Deno.test("docs/troubleshooting.md names commands that there are", async () => {
  const lines = new Set([...DOCUMENT.matchAll(/`(firma [^`]+)`/g)].map((match) => match[1]!));
  assert.ok(lines.delete("firma binary")); // a check
  const faults = await Promise.all([...lines].map(misunderstood));
  // One that is only named stands there without its arguments.
  const incomplete = /missing required argument|required option|outputHelp/;
  const wrong = faults.filter((fault) => fault !== undefined && !incomplete.test(fault));
  assert.deepEqual(wrong, []);
});
