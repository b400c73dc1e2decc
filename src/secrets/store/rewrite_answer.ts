import { Buffer } from "node:buffer";
import { newId } from "../../core/id.ts";
import type { SessionSecrets } from "../session_secrets.ts";
import type { SensitiveRule } from "./secret_store.ts";
import { type Json, rewriteValues } from "./value_path.ts";

/** Short words and numbers are in other text as well, which nobody could read any more. */
const GUESSABLE = /^(?:[A-Za-z]{0,15}|[0-9]{0,11})$/;

/**
 * The answer of a store with placeholders for its values, which the session's agent must not see
 * from then on; `undefined` when it is not what it should be. `noted` hears of each placeholder whose
 * value is found in answers from then on.
 */
export function rewriteAnswer(
  content: Uint8Array,
  { values, encoding }: SensitiveRule,
  secrets: SessionSecrets,
  noted: (placeholder: string) => void = () => {},
): Uint8Array | undefined {
  let document: Json;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)) as Json;
  } catch {
    return undefined;
  }
  let reached = false;
  const replace = (value: string) =>
    encoding === "base64" ? inBase64(value, secrets, noted) : shown(value, secrets, noted);
  for (const path of values) {
    const rewritten = rewriteValues(document, path, replace);
    document = rewritten.document;
    reached ||= rewritten.reached;
  }
  return reached ? Buffer.from(JSON.stringify(document)) : undefined;
}

type Noted = (placeholder: string) => void;

const EVERYTHING = { text: "**", steps: ["**"] };

/** What is shown in the place of a value. A value that is JSON itself stays JSON. */
function shown(value: string, secrets: SessionSecrets, noted: Noted): string {
  if (value === "") return value;
  const placeholder = secrets.placeholderOf(value) ?? newId("fsp");
  if (!GUESSABLE.test(value) && secrets.learn(value, placeholder)) noted(placeholder);
  const inner = asDocument(value);
  if (inner === undefined) return placeholder;
  return JSON.stringify(
    rewriteValues(inner, EVERYTHING, (leaf) => shown(leaf, secrets, noted)).document,
  );
}

function asDocument(value: string): Json | undefined {
  if (!/^\s*[[{]/.test(value)) return undefined;
  try {
    return JSON.parse(value) as Json;
  } catch {
    return undefined;
  }
}

function inBase64(value: string, secrets: SessionSecrets, noted: Noted): string {
  const plain = Buffer.from(value, "base64").toString();
  if (!GUESSABLE.test(value)) secrets.learn(value);
  return Buffer.from(shown(plain, secrets, noted)).toString("base64");
}
