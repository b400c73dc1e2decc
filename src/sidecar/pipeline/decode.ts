import type { HttpCall } from "../../core/envelope.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { normaliseCall } from "../../mapping/call.ts";
import { withoutContentEncoding } from "../../mapping/decoders/content_encoding.ts";
import {
  type Decoded,
  type DecodeFault,
  type Decoder,
  type Headers,
  type InnerRequest,
  type Operation,
  unclassified,
  unreadable,
} from "../../mapping/decoders/decoder.ts";
import { raised, strictest } from "../../mapping/decoders/strictness.ts";
import { overrideIn } from "../../mapping/override.ts";
import type { MatchedRule } from "../../mapping/rule.ts";
import type { MappingTable } from "../../mapping/table.ts";
import type { BodyPrefix } from "../../net/http/replay_body.ts";
import type { CallInput } from "../gate.ts";
import { type Denial, type Draft, found, type Stage } from "./draft.ts";
import { HIDDEN_PATH } from "./envelope.ts";

/** What `decode` needs. */
export interface DecodeOptions {
  readonly decoders: ReadonlyMap<string, Decoder>;
  /** Largest body that is read whole, and most of a larger one that is looked at, in bytes. */
  readonly limit: number;
  /** Decides about requests within a body; may change between calls. */
  readonly mapping: () => MappingTable;
}

/**
 * Runs the decoder that the rule names. A decoder that does not exist, a body
 * beyond the limit where it must be read whole, and a body that cannot be read
 * deny: what cannot be understood must not be allowed for what it might be.
 */
export function decode(options: DecodeOptions): Stage {
  return (draft) => {
    const name = draft.rule?.decoder;
    if (name === undefined) {
      if (draft.rule?.alias !== undefined) draft.hidden = HIDDEN_PATH;
      return;
    }
    const decoder = options.decoders.get(name);
    if (decoder === undefined) return missing(name);
    if (decoder.reads === "nothing") {
      return apply(draft, decoder, { bytes: new Uint8Array(), whole: true }, options);
    }
    return read(draft.input, decoder, options.limit).then((body) => {
      if (body !== undefined) return apply(draft, decoder, body, options);
      const detail = `the body breaks off or is larger than ${options.limit} bytes, ` +
        `decoder "${name}" must read it`;
      return { reason: "MalformedRequest", detail };
    });
  };
}

function missing(name: string): Denial {
  return {
    reason: "FailClosed",
    detail: `mapping names decoder "${name}", which does not exist`,
  };
}

async function read(
  input: CallInput,
  { reads }: Decoder,
  limit: number,
): Promise<BodyPrefix | undefined> {
  if (reads === "start" && input.readPrefix !== undefined) return await input.readPrefix(limit);
  const bytes = await input.readBody(limit);
  return bytes && { bytes, whole: true };
}

function apply(
  draft: Draft,
  decoder: Decoder,
  body: BodyPrefix,
  options: DecodeOptions,
): Denial | undefined {
  const call = found(draft.call, "call");
  const rule = found(draft.rule, "rule");
  const request = { call, rule, headers: draft.input.headers, body };
  const decoded = run(decoder, request, options, true);
  if (!decoded.ok) {
    const { code, message, denialForm } = decoded.error;
    if (denialForm !== undefined) draft.denialForm = denialForm;
    const reason = code === "UNCLASSIFIED_INTENT" ? "UnclassifiedIntent" : "MalformedRequest";
    return { reason, detail: message };
  }
  const { denialForm } = decoded.value;
  const operations = distinct(decoded.value.operations);
  const strict = strictest(operations);
  draft.rule = withClass(rule, strict.actionClass);
  draft.attributes = strict.attributes;
  if (hides(strict)) draft.hidden = strict.hidden;
  if (denialForm !== undefined) draft.denialForm = denialForm;
  if (operations.length > 1) {
    draft.operations = operations.map((operation) => ({
      action_class: operation.actionClass,
      attributes: operation.attributes,
      ...(hides(operation) && { hidden: operation.hidden }),
    }));
  }
}

function hides({ hidden }: Operation): boolean {
  return hidden !== undefined && hidden.length > 0;
}

/** What a call does twice is decided and recorded once. */
function distinct([first, ...rest]: Decoded["operations"]): Decoded["operations"] {
  const key = (operation: Operation) =>
    JSON.stringify([operation.actionClass, operation.attributes, operation.hidden ?? []]);
  const known = new Set([key(first)]);
  const others = rest.filter((operation) => {
    const own = key(operation);
    return !known.has(own) && known.add(own);
  });
  return [first, ...others];
}

interface Request {
  readonly call: HttpCall;
  readonly rule: MatchedRule;
  readonly headers: Headers;
  readonly body: BodyPrefix;
}

function run(
  decoder: Decoder,
  { call, rule, headers, body }: Request,
  options: DecodeOptions,
  mayNest: boolean,
): Result<Decoded, DecodeFault> {
  const plain = withoutContentEncoding(decoder, headers, body, options.limit);
  if (!plain.ok) return unreadable("the body", plain.error);
  const decoded = decoder.decode({
    call,
    headers,
    body: plain.value.bytes,
    whole: plain.value.whole,
    rule,
    inner: (request) =>
      mayNest
        ? decodeInner(call, request, options)
        : unreadable("the batch", "a request in it is a batch itself"),
  });
  if (!decoded.ok) return decoded;
  const [first, ...rest] = decoded.value.operations.map((operation) => ({
    ...operation,
    actionClass: raised(rule.actionClass, operation.actionClass),
    ...(rule.alias !== undefined && { hidden: [...operation.hidden ?? [], ...HIDDEN_PATH] }),
  }));
  return ok({ ...decoded.value, operations: [first!, ...rest] });
}

/** A request within a body goes to the host of the outer one and nowhere else. */
function decodeInner(
  outer: HttpCall,
  { method, target, headers, body }: InnerRequest,
  options: DecodeOptions,
): Result<Decoded, DecodeFault> {
  const port = outer.port === (outer.scheme === "https" ? 443 : 80) ? "" : `:${outer.port}`;
  const authority = outer.host + port;
  const call = normaliseCall({ method, scheme: outer.scheme, authority, target });
  if (!call.ok) return err({ code: "MALFORMED_REQUEST", message: call.error.message });
  if (overrideIn(method, call.value.query, headers) !== undefined) {
    return unreadable("a request in the batch", "it asks to be taken for another one");
  }
  const rule = options.mapping().match(call.value);
  if (rule === undefined) return unclassified("a request in the batch", "no mapping rule names it");
  if (rule.decoder === undefined) {
    const hidden = rule.alias === undefined ? [] : HIDDEN_PATH;
    return ok({ operations: [{ actionClass: rule.actionClass, attributes: {}, hidden }] });
  }
  const decoder = options.decoders.get(rule.decoder);
  if (decoder === undefined) return unreadable("a request in the batch", "it has no decoder");
  const request = { call: call.value, rule, headers, body: { bytes: body, whole: true } };
  return run(decoder, request, options, false);
}

/** The rule's place and words with another class. */
function withClass(rule: MatchedRule, actionClass: MatchedRule["actionClass"]): MatchedRule {
  if (rule.actionClass === actionClass) return rule;
  const { finer: _, ...rest } = rule;
  return { ...rest, actionClass };
}
