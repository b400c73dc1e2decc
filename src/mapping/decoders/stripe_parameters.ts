import { err, ok, type Result } from "../../core/result.ts";
import { quote } from "../malformed.ts";
import type { DecoderInput } from "./decoder.ts";
import { parseForm } from "./form.ts";
import { isObject, type Json, parseJson } from "./json.ts";
import { expectType } from "./media_type.ts";
import { utf8 } from "./text.ts";

const FORM = "application/x-www-form-urlencoded";

/** Parameters by name in bracket syntax, wherever they stood. */
export type Parameters = ReadonlyMap<string, readonly string[]>;

function flatten(value: Json, name: string, into: Map<string, string[]>): void {
  if (isObject(value)) {
    for (const [key, item] of value) flatten(item, name === "" ? key : `${name}[${key}]`, into);
  } else if (Array.isArray(value)) {
    value.forEach((item, index) => flatten(item, `${name}[${index}]`, into));
  } else if (value !== null) {
    into.set(name, [...into.get(name) ?? [], String(value)]);
  }
}

function bodyParameters({ headers, body }: DecoderInput): Result<Parameters, string> {
  if (body.length === 0) return ok(new Map());
  const type = expectType(headers, [FORM, "application/json"]);
  if (!type.ok) return type;
  if (type.value.type === FORM) {
    const text = utf8(body);
    return text === undefined ? err("it is not UTF-8") : parseForm(text);
  }
  const json = parseJson(body);
  if (!json.ok) return json;
  if (!isObject(json.value)) return err("it is not an object");
  const into = new Map<string, string[]>();
  flatten(json.value, "", into);
  const twice = [...into].find(([, values]) => values.length > 1);
  return twice === undefined ? ok(into) : err(`the field ${quote(twice[0])} is there twice`);
}

/**
 * The parameters of a call to Stripe: of its query and of its body, be that a form or
 * JSON. One that stands in both is refused, for which of them counts is Stripe's
 * secret.
 */
export function readParameters(input: DecoderInput): Result<Parameters, string> {
  const query = parseForm(input.call.query.slice(1));
  if (!query.ok) return query;
  const body = bodyParameters(input);
  if (!body.ok) return body;
  const all = new Map(query.value);
  for (const [name, values] of body.value) {
    if (all.has(name)) return err(`the field ${quote(name)} is in query and body`);
    all.set(name, values);
  }
  return ok(all);
}

/** The value of a parameter that is there once. */
export function only(parameters: Parameters, name: string): string | undefined {
  return parameters.get(name)?.[0];
}
