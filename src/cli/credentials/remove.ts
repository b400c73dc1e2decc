import { Command } from "commander";
import type { CredentialSource } from "../../config/keys/credentials/kinds.ts";
import { removeKey } from "../../config/toml_edit.ts";
import { dirname } from "../../core/path.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { editableConfig, parseEdited, writeEdited } from "./editable_config.ts";
import { giveBack } from "./take_over.ts";
import { type Effect, effectJson, reportEffect, takeEffect } from "./take_effect.ts";
import { accountOf, removeFromKeyring, removeStored, secretsDirectory } from "./store_secret.ts";

interface RemoveFlags {
  readonly config?: string;
  readonly json?: boolean;
}

interface Removed {
  readonly file: string;
  readonly credentials: readonly string[];
  /** Whose secrets firma had stored, and has taken away. */
  readonly secrets: readonly string[];
  /** Programs that have the sign-in back that was taken over from them. */
  readonly given: readonly string[];
  readonly effect: Effect;
}

/** `firma credentials remove` */
export function removeCommand(): Command {
  return new Command("remove")
    .description("Take credentials out of the configuration, and the secrets that firma stored.")
    .argument("<name...>", "names of credentials")
    .option("--json", "print what was removed as JSON")
    .option("-c, --config <path>", "configuration file")
    .addHelpText("after", examples("firma credentials remove github"))
    .action(async (names: string[], _flags: unknown, command: Command) => {
      const flags = withGlobals<RemoveFlags>(command);
      const removed = await remove(names, flags.config);
      if (removed.ok) return report(removed.value, flags.json ?? false);
      removed.error.forEach(printError);
      Deno.exitCode = 1;
    });
}

async function remove(
  names: readonly string[],
  config: string | undefined,
): Promise<Result<Removed, readonly FirmaError[]>> {
  const editable = editableConfig(config);
  if (!editable.ok) return editable;
  const { file, config: before } = editable.value.existing;
  let text = file.text;
  for (const name of new Set(names)) {
    if (!before.sidecar.credentials.some(({ label }) => label === name)) {
      return err([{
        code: "CREDENTIAL_UNKNOWN",
        message: `Cannot remove "${name}": there is no credential of this name`,
        cure: "firma credentials list",
      }]);
    }
    const edited = removeKey(text, ["sidecar", "credentials", name]);
    if (!edited.ok) return err([edited.error]);
    text = edited.value;
  }
  const after = parseEdited(editable.value, text);
  if (!after.ok) return after;
  const written = await writeEdited(editable.value, text);
  if (!written.ok) return written;
  // Before its secret goes: a Sidecar could write it once more.
  const effect = await takeEffect(written.value);
  const directory = secretsDirectory(file.file);
  const pathsOf = (credentials: typeof before.sidecar.credentials) =>
    credentials.flatMap(({ source }) =>
      [storedIn(source)].filter((path) => path !== undefined && dirname(path) === directory)
    ) as string[];
  const needed = new Set(pathsOf(after.value.sidecar.credentials));
  const secrets: string[] = [];
  const given: string[] = [];
  for (const path of new Set(pathsOf(before.sidecar.credentials))) {
    if (needed.has(path)) continue;
    const name = path.slice(directory.length + 1);
    const back = await backToProgram(before.sidecar.credentials, path);
    if (!back.ok) return err([back.error]);
    if (back.value !== undefined) given.push(back.value);
    if (await removeStored(file.file, name)) secrets.push(name);
  }
  for (const { label, source } of before.sidecar.credentials) {
    const account = accountOf(file.file, label);
    if (!names.includes(label) || source.kind !== "keyring") continue;
    if (source.settings.account !== account) continue;
    if (await removeFromKeyring(account)) secrets.push(label);
  }
  return ok({ file: written.value, credentials: [...new Set(names)], secrets, given, effect });
}

function storedIn(source: CredentialSource): string | undefined {
  if (source.kind === "file") return source.settings.path;
  return source.kind === "sign_in" ? source.settings.sign_in_file : undefined;
}

/** A sign-in that was taken over goes back to its program, as it is by now. */
async function backToProgram(
  credentials: readonly { readonly source: CredentialSource }[],
  path: string,
): Promise<Result<string | undefined>> {
  for (const { source } of credentials) {
    if (source.kind !== "sign_in" || storedIn(source) !== path) continue;
    return await giveBack(path, source.settings.sign_in_at, Deno.env.toObject());
  }
  return ok(undefined);
}

function report(removed: Removed, json: boolean): void {
  const { effect, ...what } = removed;
  if (json) return print(`${JSON.stringify({ ...what, ...effectJson(effect) }, null, 2)}\n`);
  const { file, credentials, secrets, given } = what;
  for (const name of credentials) print(`${escapeForTerminal(`Removed ${name}`)}\n`);
  for (const name of secrets) print(`${escapeForTerminal(`Deleted the secret of ${name}`)}\n`);
  for (const name of given) print(`${escapeForTerminal(`${name} has its sign-in back`)}\n`);
  reportEffect(file, effect, false);
}
