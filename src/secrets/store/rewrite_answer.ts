import { Buffer } from "node:buffer";
import { newId } from "../../core/id.ts";
import type { StoredValue } from "../learnt.ts";
import type { SessionSecrets } from "../session_secrets.ts";
import type { SensitiveRule } from "./secret_store.ts";
import { type Json, rewriteValues } from "./value_path.ts";

/** Short words and numbers are in other text as well, which nobody could read any more. */
const GUESSABLE = /^(?:[A-Za-z]{0,15}|[0-9]{0,11})$/;

/** A value of an answer, before it is said of which store. */
export type LearntValue = Pick<StoredValue, "secret" | "placeholder" | "isUsable">;

/**
 * The answer of a store with placeholders for its values, which the session's agent must not see
 * from then on; `undefined` when it is not what it should be. `learnt` hears of each value that is
 * found in answers from then on.
 */
export function rewriteAnswer(
  content: Uint8Array,
  { values, encoding }: SensitiveRule,
  secrets: SessionSecrets,
  learnt: (value: LearntValue) => void = () => {},
): Uint8Array | undefined {
  let document: Json;
  try {
    document = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)) as Json;
  } catch {
    return undefined;
  }
  let reached = false;
  const replace = (value: string) =>
    encoding === "base64" ? inBase64(value, secrets, learnt) : shown(value, secrets, learnt);
  for (const path of values) {
    const rewritten = rewriteValues(document, path, replace);
    document = rewritten.document;
    reached ||= rewritten.reached;
  }
  return reached ? Buffer.from(JSON.stringify(document)) : undefined;
}

type Hear = (value: LearntValue) => void;

const EVERYTHING = { text: "**", steps: ["**"] };

/**
 * What is shown in the place of a value, which is learnt unless it could be other text as well. A
 * value that is JSON itself stays JSON.
 */
export function shown(value: string, secrets: SessionSecrets, learnt: Hear): string {
  if (value === "") return value;
  const placeholder = secrets.placeholderOf(value) ?? newId("fsp");
  if (!GUESSABLE.test(value) && secrets.learn(value, placeholder)) {
    learnt({ secret: value, placeholder, isUsable: true });
  }
  const inner = asDocument(value);
  if (inner === undefined) return placeholder;
  return JSON.stringify(
    rewriteValues(inner, EVERYTHING, (leaf) => shown(leaf, secrets, learnt)).document,
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

function inBase64(value: string, secrets: SessionSecrets, learnt: Hear): string {
  const plain = Buffer.from(value, "base64").toString();
  if (!GUESSABLE.test(value) && secrets.learn(value)) {
    learnt({ secret: value, placeholder: secrets.placeholderOf(value)!, isUsable: false });
  }
  return Buffer.from(shown(plain, secrets, learnt)).toString("base64");
}
