import { err, ok, type Result } from "../../core/result.ts";
import { parseEntity } from "./mime.ts";
import { latin1, LONGEST_ATTRIBUTE } from "./text.ts";

/** Who a message goes to. */
export interface Recipients {
  readonly count: number;
  /** Lower case, sorted. */
  readonly domains: readonly string[];
}

const ADDRESSED = /^(?:resent-)?(?:to|cc|bcc)$/;
const ENCODED_WORD = /=\?[^?\s]+\?([bq])\?([^?\s]*)\?=/gi;
const DOMAIN = /@([^\s<>,;:"()[\]@\\]+)/g;
const MOST_DOMAINS = 500;

function decodeWord(encoding: string, text: string): string {
  if (encoding.toLowerCase() === "q") {
    return text.replaceAll("_", " ").replace(
      /=([0-9a-f]{2})/gi,
      (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  try {
    return atob(text);
  } catch {
    return text;
  }
}

/**
 * The recipients that the headers of a message name (RFC 5322, 3.6.3). Rather one too
 * many than one too few: whatever looks like an address counts, in quotes, in
 * comments and encoded. Addresses that are written so that readers may differ about
 * their domain are refused.
 */
export function readRecipients(message: Uint8Array): Result<Recipients, string> {
  const entity = parseEntity(latin1(message));
  if (!entity.ok) return entity;
  const domains = new Set<string>();
  let count = 0;
  for (const [name, value] of entity.value.headers) {
    if (!ADDRESSED.test(name)) continue;
    const text = value.replace(
      ENCODED_WORD,
      (word, encoding, encoded) => `${word} ${decodeWord(encoding, encoded)}`,
    );
    const found = [...text.matchAll(DOMAIN)];
    if (found.length !== text.split("@").length - 1) return err("an address has no plain domain");
    count += found.length;
    for (const [, domain] of found) {
      domains.add(domain!.toLowerCase().replace(/\.$/, "").slice(0, LONGEST_ATTRIBUTE));
    }
    if (domains.size > MOST_DOMAINS) return err("it has too many recipients");
  }
  return ok({ count, domains: [...domains].sort() });
}
