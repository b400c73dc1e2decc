import type { CredentialConfig } from "../config/keys/credentials/credential.ts";
import { ok, type Result } from "../core/result.ts";
import type { HandOut } from "./hand_out.ts";
import { unobtainable } from "./provider.ts";

/** Shorter ones occur by chance, so that they could not be told apart in answers. */
const SHORTEST = 8;
const LONGEST = 16_384;

/** A secret in the form that its credential wants: RFC 9110, 5.5 and RFC 7617. */
export function writeSecret(
  { label, form }: Pick<CredentialConfig, "label" | "form">,
  text: string,
  expiresAtMs?: number,
): Result<HandOut> {
  // Files and programs end what they say with a line feed.
  const secret = text.replace(/\r?\n$/, "");
  if (secret === "") return unobtainable(label, "its source is empty");
  if (secret.length < SHORTEST) {
    return unobtainable(label, `the secret has fewer than ${SHORTEST} characters`);
  }
  if (secret.length > LONGEST) return unobtainable(label, "the secret is longer than 16 KiB");
  if (!/^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/.test(secret)) {
    return unobtainable(
      label,
      "the secret is not one line of printable ASCII",
      "its source must hold the secret alone, without quotes or a name before it",
    );
  }
  const { header, prefix, basicUser } = form;
  const basic = basicUser === undefined ? undefined : btoa(`${basicUser}:${secret}`);
  const value = basic === undefined ? `${prefix}${secret}` : `Basic ${basic}`;
  return ok({
    label,
    headers: [[header, value]],
    secrets: basic === undefined ? [secret] : [secret, basic],
    ...(expiresAtMs !== undefined && { expiresAtMs }),
  });
}
