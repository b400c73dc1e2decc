import { X509Certificate } from "node:crypto";
import { ok, type Result } from "../../core/result.ts";
import { readFileIfThere, replaceFile, withFileLock } from "../store/files.ts";
import { parseAllowList } from "./allow_list.ts";
import { namesOf } from "./peer.ts";

/** A client to let in. */
export interface NewClient {
  /** PEM. */
  readonly certificate: string;
  /** The agents that it may ask tokens for; `undefined`: all that are registered. */
  readonly agents?: readonly string[] | undefined;
}

/** The lines that let a client in. */
export function clientEntry({ certificate, agents }: NewClient, nowText: string): string {
  const { fingerprint, names, commonName } = namesOf(new X509Certificate(certificate));
  const entry = [
    "[[authorized]]",
    `fingerprint = ${JSON.stringify(fingerprint)}`,
    ...(agents === undefined ? [] : [`agents = ${JSON.stringify(agents)}`]),
    `issued_at = ${JSON.stringify(nowText)}`,
    `notes = ${JSON.stringify(commonName ?? names[0] ?? "")}`,
  ];
  return `${entry.join("\n")}\n`;
}

/** Puts a client on a list, which has to be one already unless there is none. */
export async function authorizeClient(file: string, client: NewClient): Promise<Result<void>> {
  return await withFileLock(file, async () => {
    const text = await readFileIfThere(file) ?? "";
    const gap = text === "" ? "" : text.endsWith("\n") ? "\n" : "\n\n";
    const next = `${text}${gap}${clientEntry(client, new Date().toISOString())}`;
    const parsed = parseAllowList(next, file);
    if (!parsed.ok) return parsed;
    await replaceFile(file, next);
    return ok(undefined);
  });
}
