import { KEYRING_VARIABLES, keyringProgram } from "../../config/keys/credentials/keyring.ts";
import { projectDataDir } from "../../config/paths.ts";
import type { Json } from "../../config/value_type.ts";
import { join } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { writeNewFiles } from "../../pki/new_files.ts";

/** Where a secret that was asked for is kept. */
export const STORES = ["file", "keyring"] as const;

/** One of {@linkcode STORES}. */
export type Store = typeof STORES[number];

/** A secret that is kept: the keys that say where, and how to take it away again. */
export interface StoredSecret {
  readonly keys: Readonly<Record<string, Json>>;
  readonly remove: () => Promise<void>;
}

/** Where firma keeps the secrets that it was given for a project: no agent sees that directory. */
export function secretsDirectory(configFile: string): string {
  return join(projectDataDir(Deno.env.toObject(), configFile), "credentials");
}

/** Keeps a secret for the credential `label` of a project. */
export async function storeSecret(
  store: Store,
  configFile: string,
  label: string,
  secret: string,
): Promise<Result<StoredSecret>> {
  if (store === "keyring") return await storeInKeyring(configFile, label, secret);
  const path = join(secretsDirectory(configFile), label);
  // Until the configuration names the new one, the old one stays what it was.
  const before = await Deno.readTextFile(path).catch(() => undefined);
  const written = await writeNewFiles([{ path, text: `${secret}\n`, secret: true }], true);
  if (!written.ok) return written;
  return ok({
    keys: { provider: "file", path },
    remove: async () => {
      if (before === undefined) await Deno.remove(path).catch(() => {});
      else await writeNewFiles([{ path, text: before, secret: true }], true);
    },
  });
}

/** Takes away what {@linkcode storeSecret} kept in a file. */
export async function removeStored(configFile: string, label: string): Promise<boolean> {
  try {
    await Deno.remove(join(secretsDirectory(configFile), label));
    return true;
  } catch {
    return false;
  }
}

const SERVICE = "firma";

/** The name of a credential's entry in the keyring, where firma made it; projects may share labels. */
export function accountOf(configFile: string, label: string): string {
  return `${label}@${configFile}`;
}

async function storeInKeyring(
  configFile: string,
  label: string,
  secret: string,
): Promise<Result<StoredSecret>> {
  const program = keyringProgram(undefined);
  const account = accountOf(configFile, label);
  const stored = await runKeyring(program, account, label, secret);
  if (!stored) {
    return err({
      code: "KEYRING_UNUSABLE",
      message: `Cannot store the secret of "${label}": "${program}" did not take it`,
      cure: "unlock the keyring, or: --store file",
    });
  }
  const remove = async () => void await removeFromKeyring(account);
  return ok({ keys: { provider: "keyring", account }, remove });
}

/** Takes an entry that {@linkcode storeSecret} made out of the keyring again. */
export async function removeFromKeyring(account: string): Promise<boolean> {
  const program = keyringProgram(undefined);
  const args = isOfMac(program)
    ? ["delete-generic-password", "-s", SERVICE, "-a", account]
    : ["clear", "service", SERVICE, "account", account];
  return await run(program, args, "");
}

/** The secret goes by standard input: everybody on the machine can read a command line. */
async function runKeyring(
  program: string,
  account: string,
  label: string,
  secret: string,
): Promise<boolean> {
  if (!isOfMac(program)) {
    const entry = ["service", SERVICE, "account", account];
    return await run(program, ["store", "--label", `firma: ${label}`, ...entry], secret);
  }
  const quoted = (text: string) => `"${text.replace(/[\\"]/g, "\\$&")}"`;
  const words = ["add-generic-password", "-U", "-s", SERVICE, "-a", account, "-w", secret];
  return await run(program, ["-i"], `${words.map(quoted).join(" ")}\n`);
}

function isOfMac(program: string): boolean {
  return program.endsWith("/security");
}

async function run(program: string, args: readonly string[], input: string): Promise<boolean> {
  const env: Record<string, string> = {};
  for (const name of [...KEYRING_VARIABLES, "PATH"]) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  try {
    const child = new Deno.Command(program, {
      args: [...args],
      env,
      clearEnv: true,
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    // A program that wants nothing may be gone already.
    await writer.write(new TextEncoder().encode(input)).catch(() => {});
    await writer.close().catch(() => {});
    return (await child.status).success;
  } catch {
    return false;
  }
}
