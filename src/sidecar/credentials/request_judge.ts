import { type ActionClass, actionClassLineage } from "../../core/action_class.ts";
import type { SignInService } from "../../secrets/sign_in/services.ts";
import type { HttpCall } from "../../core/envelope.ts";
import type { KnownPlaceholder, PlaceholderBook } from "../../secrets/placeholder.ts";
import type { FoundText } from "./request_find.ts";
import { isSecretHeader, type Place } from "./request_place.ts";

/** What deciding needs to know of a configured credential. Nothing of it is secret. */
export interface CredentialTarget {
  readonly label: string;
  /** Which one of that name: `editionOf()`; `""` for what is no credential. */
  readonly edition: string;
  /** Calls over TLS to these may carry it and no others. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** Prefixes in whole segments; empty: every path. */
  readonly paths: readonly string[];
  /** With all that is within them; empty: every class. */
  readonly actionClasses: readonly string[];
  /** Where the broker puts it; lower case; `""`: nowhere. */
  readonly header: string;
  /** Which of its secrets may go there, by their place in the hand-out. @default {all of them} */
  readonly parts?: readonly number[];
  /** These calls sign in, or renew a sign-in. @default {they do not} */
  readonly signIn?: SignInService;
  /** These calls ask about the token that they show. @default {they do not} */
  readonly isInquiry?: boolean;
}

/** A call as far as credentials depend on it. */
export interface JudgedCall {
  readonly call: HttpCall;
  /** Absent where no rule names the call. */
  readonly actionClass: ActionClass | undefined;
  readonly sessionId: string;
}

/** What becomes of the placeholders of a call. */
export interface PlaceholderJudgement {
  /** To be swapped. */
  readonly uses: readonly KnownPlaceholder[];
  /** Why the call must not go out, for the operator. */
  readonly refusal: string | undefined;
}

/** Prompts and answers: there, a placeholder is something that is talked about. */
const CONVERSATION = "model.inference";

/** Whether a credential is for this host and port, over TLS. */
export function isForHost({ hosts }: CredentialTarget, call: HttpCall): boolean {
  return call.scheme === "https" &&
    hosts.some(({ host, port }) => host === call.host && port === call.port);
}

/** Whether a credential is for this call. */
export function isForCall(
  target: CredentialTarget,
  { call, actionClass }: Pick<JudgedCall, "call" | "actionClass">,
): boolean {
  if (!isForHost(target, call)) return false;
  const { paths, actionClasses } = target;
  if (paths.length > 0 && !paths.some((prefix) => isBelow(call.path, prefix))) return false;
  if (actionClasses.length === 0) return true;
  if (actionClass === undefined) return false;
  return actionClassLineage(actionClass).some((name) => actionClasses.includes(name));
}

/** Whether what comes back from this call holds tokens of a sign-in. */
export function capturesAt({ signIn }: CredentialTarget, call: HttpCall): boolean {
  return signIn !== undefined && call.scheme === "https" &&
    signIn.endpoints.some(({ host, port, path }) =>
      host === call.host && port === call.port && isBelow(call.path, path)
    );
}

function isBelow(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith("/") || path.length === prefix.length || path[prefix.length] === "/";
}

/**
 * Why a placeholder must not be where it is in this call; `"mention"` where it is only talked
 * about and stays as it is; `undefined` where it is to be swapped.
 */
export function judgePlaceholder(
  { text, place }: FoundText,
  judged: JudgedCall,
  book: PlaceholderBook,
  targets: readonly CredentialTarget[],
): string | undefined {
  if (isMention(place, judged)) return MENTION;
  const known = book.get(text);
  if (known === undefined) return "a placeholder that stands for nothing";
  if (known.sessionId !== judged.sessionId) return "a placeholder of another session";
  const named = known.label.startsWith("secret store ")
    ? `a placeholder of ${known.label}`
    : `the placeholder of credential "${known.label}"`;
  if (!known.live) return `${named}, whose session has ended`;
  const here = targets.filter((each) =>
    each.label === known.label && isForHost(each, judged.call) &&
    (each.parts?.includes(known.part) ?? true)
  );
  const target = here.find((each) => isForCall(each, judged)) ?? here[0];
  if (target === undefined) {
    const isThere = targets.some(({ label }) => label === known.label);
    return `${named}, which ${isThere ? "is not for this host" : "there is none of any more"}`;
  }
  if (!isForSecrets(place, target)) return `${named}, ${whereOf(place)}`;
  if (!isForCall(target, judged)) return `${named}, which is not for this path or action`;
}

/** See {@linkcode judgePlaceholder}. */
export const MENTION = "mention";

/** Judges all of them; the first that must not be there decides. */
export function judgePlaceholders(
  found: readonly FoundText[],
  judged: JudgedCall,
  book: PlaceholderBook,
  targets: readonly CredentialTarget[],
): PlaceholderJudgement {
  const uses: KnownPlaceholder[] = [];
  for (const one of found) {
    const said = judgePlaceholder(one, judged, book, targets);
    if (said === MENTION) continue;
    if (said !== undefined) return { uses: [], refusal: `the call carries ${said}` };
    uses.push(book.get(one.text)!);
  }
  return { uses, refusal: undefined };
}

/**
 * An agent that looked at its own environment tells its model what it saw, again with every
 * turn; what it saw is worth nothing, and is not swapped there.
 */
function isMention({ kind, name }: Place, { actionClass }: JudgedCall): boolean {
  const isText = (kind === "json" || kind === "body" || kind === "websocket") && name === "";
  return isText && actionClass !== undefined &&
    actionClassLineage(actionClass).some((parent) => parent === CONVERSATION);
}

function isForSecrets({ kind, name }: Place, { header }: CredentialTarget): boolean {
  return kind === "header" ? name === header || isSecretHeader(name) : name !== "";
}

function whereOf({ kind, name }: Place): string {
  switch (kind) {
    case "header":
      return `in the header "${name}", which is not for secrets`;
    case "path":
      return "in the path";
    case "query":
      return "in a part of the query that is not for secrets";
    default:
      return "in a part of the body that is not for secrets";
  }
}
