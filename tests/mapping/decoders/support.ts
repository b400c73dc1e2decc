import assert from "node:assert/strict";
import { type ActionClass, parseActionClass } from "../../../src/core/action_class.ts";
import type { ContextValue } from "../../../src/core/envelope.ts";
import { normaliseCall } from "../../../src/mapping/call.ts";
import {
  type Decoder,
  type DecoderInput,
  type Headers,
  unreadable,
} from "../../../src/mapping/decoders/decoder.ts";
import { must } from "../support.ts";

/** What a test wants a decoder to read. */
export interface Sketch {
  readonly method?: string;
  readonly url: string;
  readonly headers?: Headers;
  readonly body?: string | Uint8Array;
  readonly whole?: boolean;
  readonly actionClass?: string;
  readonly inner?: DecoderInput["inner"];
}

/** A registered action class. */
export function actionClass(name: string): ActionClass {
  const known = parseActionClass(name);
  assert.ok(known, `"${name}" is registered`);
  return known;
}

/** The input of a decoder for a request. */
export function input(sketch: Sketch): DecoderInput {
  const url = new URL(sketch.url);
  const call = must(normaliseCall({
    method: sketch.method ?? "POST",
    scheme: "https",
    authority: url.host,
    target: url.pathname + url.search,
  }));
  const { body = "" } = sketch;
  return {
    call,
    headers: sketch.headers ?? [],
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    whole: sketch.whole ?? true,
    rule: {
      actionClass: actionClass(sketch.actionClass ?? "code.read"),
      ref: "test.toml:1",
      host: call.host,
      path: call.path,
      method: "*",
    },
    inner: sketch.inner ?? (() => unreadable("the batch", "no batch in this test")),
  };
}

/** What a decoder says: class and attributes of each operation, or the code of the fault. */
export function decoded(
  decoder: Decoder,
  sketch: Sketch,
): string | [string, Readonly<Record<string, ContextValue>>][] {
  const result = decoder.decode(input(sketch));
  if (!result.ok) return result.error.code;
  return result.value.operations.map(({ actionClass, attributes }) => [actionClass, attributes]);
}

/** The classes of the operations, or the code of the fault. */
export function classes(decoder: Decoder, sketch: Sketch): string | string[] {
  const found = decoded(decoder, sketch);
  return typeof found === "string" ? found : found.map(([name]) => name);
}

/** Why a decoder refuses; fails the test when it does not. */
export function refusal(decoder: Decoder, sketch: Sketch): string {
  const result = decoder.decode(input(sketch));
  assert.ok(!result.ok, "it is refused");
  return result.error.message;
}

export const MALFORMED = "MALFORMED_REQUEST";
export const UNCLASSIFIED = "UNCLASSIFIED_INTENT";
