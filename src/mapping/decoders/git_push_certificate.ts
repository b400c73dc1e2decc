import { err, ok, type Result } from "../../core/result.ts";
import { utf8 } from "./text.ts";

/** What a push certificate holds (gitprotocol-pack, "Push Certificate"). */
export interface PushCertificate {
  /** Lines as those of a push that is not signed. */
  readonly commands: readonly string[];
  readonly options: readonly string[];
  /** How many of the payloads it takes. */
  readonly size: number;
}

const HEADER = /^(?:certificate version 0\.1|pusher .+|pushee .+|nonce .+)$/;
const OPTION = "push-option ";
const SIGNATURE = /^-----BEGIN (?:PGP SIGNATURE|PGP MESSAGE|SIGNED MESSAGE|SSH SIGNATURE)-----$/;
const END = "push-cert-end";

/**
 * Reads the certificate of a signed push from the payloads behind its first line. The
 * server executes the commands in it and no others. Some servers read it line by line
 * and some as one text, so each payload must be one whole line, and nothing may look
 * like a part of the certificate where it is none.
 */
export function readPushCertificate(
  payloads: readonly Uint8Array[],
): Result<PushCertificate, string> {
  const lines: string[] = [];
  for (const payload of payloads) {
    const line = utf8(payload);
    if (line === undefined || !/^[^\n\0]*\n$/.test(line)) {
      return err("a line of its certificate is not one line of text");
    }
    if (line === `${END}\n`) return readLines(lines);
    lines.push(line.slice(0, -1));
  }
  return err("its certificate does not end");
}

function readLines(lines: readonly string[]): Result<PushCertificate, string> {
  const blank = lines.indexOf("");
  const signature = lines.findIndex((line) => line.startsWith("-----BEGIN "));
  if (blank < 0 || signature < blank) return err("its certificate has no commands or no signature");
  const options: string[] = [];
  for (const line of lines.slice(0, blank)) {
    if (line.startsWith(OPTION)) options.push(line.slice(OPTION.length));
    else if (!HEADER.test(line)) return err("its certificate has a header that is not known");
  }
  const [begin, ...rest] = lines.slice(signature);
  if (!SIGNATURE.test(begin!)) return err("its certificate has a signature of an unknown kind");
  // Of several beginnings the last one would count for git: what is before it are commands.
  if (rest.some((line) => line.startsWith("-----BEGIN ") || /^[0-9a-f]{40}/i.test(line))) {
    return err("its certificate has commands in its signature");
  }
  return ok({ commands: lines.slice(blank + 1, signature), options, size: lines.length + 1 });
}
