import type { DecisionEvent } from "../../core/event.ts";
import { type ExecutionEnvelope, operationEnvelopes } from "../../core/envelope.ts";
import { CONTEXT_ATTRIBUTES } from "../../policy/context.ts";
import type { PolicyPlace } from "./policy_texts.ts";

/** A field of an envelope, as a person reads it. */
export type Fact = readonly [name: string, value: string];

/**
 * What of a call the given policies look at, with the values that it had.
 * Judged by the words of their texts: too much rather than too little.
 */
export function factsThatMattered(
  event: DecisionEvent,
  policies: readonly PolicyPlace[],
): Fact[] {
  const { envelope } = event;
  if (envelope === undefined) return [];
  const words = new Set(policies.flatMap(({ text }) => text.match(/[A-Za-z_]\w*/g) ?? []));
  const facts: Fact[] = [];
  for (const { name, read } of CONTEXT_ATTRIBUTES) {
    if (!words.has(name)) continue;
    const hidden = envelope.intent.hidden?.includes(name) ?? false;
    facts.push([`context.${name}`, hidden ? "hidden by the call" : valueOf(envelope, read)]);
  }
  const { host, path, method } = envelope.intent.resource;
  for (const [name, value] of Object.entries({ host, path, method })) {
    if (words.has(name)) facts.push([`resource.${name}`, value]);
  }
  return facts;
}

function valueOf(
  envelope: ExecutionEnvelope,
  read: (envelope: ExecutionEnvelope) => unknown,
): string {
  try {
    const values = operationEnvelopes(envelope).map((part) => read(part));
    const texts = values.map((value) => value === undefined ? "not known" : JSON.stringify(value));
    return [...new Set(texts)].join(", ");
  } catch {
    return "not known"; // a forged line of the log
  }
}
