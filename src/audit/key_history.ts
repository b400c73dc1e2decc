import { readLines } from "./lines.ts";

/** What a log says of a key that has signed it. */
export interface KeyPeriod {
  /** Raw Ed25519 public key, standard base64. */
  readonly publicKey: string;
  /** The first line that it signed. */
  readonly from: number;
  /** The last one, if it has handed over to another key. */
  readonly to?: number;
  /** The key that vouches for it, as the log says; `firma audit verify` checks that. */
  readonly certifiedBy?: string;
}

const KEY_EVENT = new TextEncoder().encode('"kind":"key"');

/**
 * The keys that the log in `file` names, in order of their first lines. Reads what the log says and
 * verifies nothing. Throws what the file system throws.
 */
export async function readKeyHistory(file: string): Promise<KeyPeriod[]> {
  const periods = new Map<string, KeyPeriod>();
  using log = await Deno.open(file, { read: true });
  for await (const { bytes, terminated } of readLines(log, log.statSync().size)) {
    if (!terminated || !includes(bytes, KEY_EVENT)) continue;
    const event = parse(bytes);
    const { kind, change, public_key: key, seq } = event;
    if (kind !== "key" || typeof key !== "string" || typeof seq !== "number") continue;
    const known = periods.get(key) ?? { publicKey: key, from: seq };
    const root = event.root_public_key;
    periods.set(key, {
      ...known,
      ...change === "handed_over" && { to: seq },
      ...change === "certified" && typeof root === "string" && { certifiedBy: root },
    });
  }
  return [...periods.values()];
}

function parse(line: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(new TextDecoder().decode(line)) ?? {};
  } catch {
    return {};
  }
}

function includes(bytes: Uint8Array, wanted: Uint8Array): boolean {
  for (let at = bytes.indexOf(wanted[0]!); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1)) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return true;
  }
  return false;
}
