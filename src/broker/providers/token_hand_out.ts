import type { CredentialNeed, HandOut } from "../hand_out.ts";

/** How a token stands in a call. */
export interface Presentation {
  /** In lower case. */
  readonly header: string;
  /** What stands before the token, its space included. */
  readonly prefix: string;
}

/** A hand-out of one token in one header. */
export function tokenHandOut(
  { label }: Pick<CredentialNeed, "label">,
  { header, prefix }: Presentation,
  { token, expiresAtMs }: { readonly token: string; readonly expiresAtMs: number },
): HandOut {
  return { label, headers: [[header, `${prefix}${token}`]], secrets: [token], expiresAtMs };
}
