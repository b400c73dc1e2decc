import { Buffer } from "node:buffer";
import { bodyKind } from "./request_body_kind.ts";

/** A request to a token endpoint (RFC 6749, 4 and 6). */
export interface Grant {
  /** The body, written so that nobody can read it in two ways. */
  readonly body: Uint8Array;
  /** Where it asks for a renewal and nothing else: the refresh token that it shows. */
  readonly refreshToken?: string;
}

/**
 * Reads what a program asks a token endpoint for. `undefined` where one reader could take it for a
 * renewal and another for something else.
 */
export function readGrant(
  body: Uint8Array,
  headers: readonly (readonly [string, string])[],
): Grant | undefined {
  const kind = bodyKind(headers);
  if (kind === "other") return { body };
  const text = decode(body);
  if (text === undefined) return undefined;
  return kind === "json" ? readJson(text) : readForm(text);
}

function decode(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

function readJson(text: string): Grant | undefined {
  try {
    const read: unknown = JSON.parse(text);
    if (typeof read !== "object" || read === null || Array.isArray(read)) return undefined;
    // Written again, each name is there once.
    const { grant_type: type, refresh_token: token } = read as Record<string, unknown>;
    return grant(Buffer.from(JSON.stringify(read)), type, token);
  } catch {
    return undefined;
  }
}

function readForm(text: string): Grant | undefined {
  const pairs = [...new URLSearchParams(text)];
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) return undefined;
  const read = new Map(pairs);
  const body = Buffer.from(String(new URLSearchParams(pairs)));
  return grant(body, read.get("grant_type"), read.get("refresh_token"));
}

function grant(body: Uint8Array, type: unknown, token: unknown): Grant {
  return {
    body,
    ...type === "refresh_token" && typeof token === "string" && { refreshToken: token },
  };
}
