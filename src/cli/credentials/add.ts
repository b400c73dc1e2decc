import { Command } from "commander";
import type { FirmaConfig } from "../../config/schema.ts";
import { removeKey, setKey } from "../../config/toml_edit.ts";
import type { Json } from "../../config/value_type.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { confirm } from "../confirm.ts";
import { print, printError, printNotice } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { type AddFlags, readAddFlags, type Wanted } from "./add_flags.ts";
import {
  type EditableConfig,
  editableConfig,
  parseEdited,
  writeEdited,
} from "./editable_config.ts";
import { type Proof, prove } from "./prove.ts";
import { readSecret } from "./secret_prompt.ts";
import { serviceNames } from "./services.ts";
import { findSignIn, type SignIn } from "./sign_in.ts";
import { findTakeOver, keptText, signOut, type TakeOver } from "./take_over.ts";
import { type Effect, effectJson, reportEffect, takeEffect } from "./take_effect.ts";
import { type StoredSecret, storeSecret } from "./store_secret.ts";

type Faults = readonly FirmaError[];

/** Breaks a list into lines as wide as help may be. */
function inLines(list: string): string {
  return list.replaceAll(/(.{75,95},) /g, "$1\n");
}

const HELP = `
Without a --from flag the secret is asked for, or read from standard input where there is no
terminal, and kept where no agent can read it. It never stands on a command line. Known by name:
${inLines(serviceNames().join(", "))}.

Examples:
  firma credentials add github
  firma credentials add github --from-sign-in
  firma credentials add claude --from-sign-in
  firma credentials add anthropic --from-env ANTHROPIC_API_KEY
  firma credentials add work --host api.example.com --header x-api-key --from-file ~/.work-token
  firma credentials add vaulted --host api.example.com --command /usr/bin/op read op://a/b/c
`;

const list = (value: string, before: readonly string[] = []): string[] => [...before, value];

/** `firma credentials add` */
export function addCommand(): Command {
  return new Command("add")
    .description("Give calls to a host a credential that agents never hold.")
    .argument("<name>", "name of the credential, such as github")
    .option("--host <host>", "host that it may go to; may be repeated", list)
    .option("--header <name>", "header that it is put into (default: authorization)")
    .option("--prefix <text>", 'what stands before it (default: "Bearer " in authorization)')
    .option("--basic-user <name>", "send it as the password of this user")
    .option("--path <prefix>", "only for paths below this one; may be repeated", list)
    .option("--action-class <class>", "only for calls of this class; may be repeated", list)
    .option("--env <variable>", "where agents find a placeholder of it; may be repeated", list)
    .option("--from-sign-in", "take it over from the program that has it, such as gh")
    .option("--from-env <variable>", "take it from a variable of the environment")
    .option("--from-file <file>", "take it from a file of mode 0600")
    .option("--from-keyring <account>", "take it from the keyring of the operating system")
    .option("--command <words...>", "take it from what a program prints; absolute path first")
    .option("--store <where>", "where a secret that is asked for is kept: file or keyring")
    .option("--no-test", "do not try whether it works")
    .option("--replace", "replace a credential of this name")
    .option("--json", "print what was added as JSON")
    .option("-c, --config <path>", "configuration file")
    .addHelpText("after", HELP)
    .action(async (name: string, _flags: unknown, command: Command) => {
      const done = await add(name, withGlobals<AddFlags>(command));
      if (done.ok) return;
      done.error.forEach(printError);
      Deno.exitCode = 1;
    });
}

async function add(name: string, flags: AddFlags): Promise<Result<void, Faults>> {
  const wanted = readAddFlags(name, flags, Deno.cwd());
  if (!wanted.ok) return err([wanted.error]);
  const editable = editableConfig(flags.config);
  if (!editable.ok) return editable;
  const { existing } = editable.value;
  const there = existing.config.sidecar.credentials.find(({ label }) => label === name);
  if (there !== undefined && !flags.replace) {
    return err([{
      code: "CREDENTIAL_EXISTS",
      message: `Cannot add "${there.label}": there is a credential of this name`,
      cure: "--replace puts the new one in its place",
    }]);
  }
  const takeOver = await takenOver(wanted.value);
  const stored = takeOver === undefined
    ? await sourceOf(wanted.value, existing.file.file)
    : await keep(takeOver, wanted.value, existing.file.file);
  if (!stored.ok) return err([stored.error]);
  // What the service is asked with a secret of its own says nothing of a sign-in: that is for other
  // hosts, and may have ended, and be renewed.
  const whole = takeOver
    ? { ...wanted.value, keys: keysFor(takeOver, flags), service: undefined }
    : wanted.value;
  const added = await write(editable.value, whole, stored.value.keys, flags);
  if (!added.ok) await stored.value.remove();
  if (!added.ok) return added;
  // A secret that was replaced lies where the one before did: nothing else says that it is another.
  const effect = await takeEffect(added.value.file, there === undefined ? [] : [name]);
  report(whole, added.value, effect, flags);
  if (takeOver === undefined) return ok(undefined);
  const signedOut = await signOut(takeOver);
  if (!signedOut.ok) return err([signedOut.error]);
  const text = `${takeOver.program} is signed out outside of sandboxes; remove gives it back`;
  printNotice("info", text);
  return ok(undefined);
}

/** A sign-in that its program renews, if there is one and it is wanted. */
async function takenOver(
  { name, source, fromSignIn, service }: Wanted,
): Promise<TakeOver | undefined> {
  if (source !== undefined || service === undefined) return undefined;
  const found = findTakeOver(name, Deno.env.toObject());
  return found !== undefined && (fromSignIn || await isWanted(found)) ? found : undefined;
}

/** What is taken over goes into a file: it is replaced with every renewal. */
async function keep(
  takeOver: TakeOver,
  { name }: Wanted,
  configFile: string,
): Promise<Result<StoredSecret>> {
  const stored = await storeSecret("file", configFile, name, keptText(takeOver));
  if (!stored.ok) return stored;
  return ok({ ...stored.value, keys: { sign_in_file: stored.value.keys.path! } });
}

/** Its variables would have the program look there, and not renew. */
function keysFor({ keys }: TakeOver, { path, actionClass, env }: AddFlags): Wanted["keys"] {
  return {
    ...keys,
    ...path && { paths: path },
    ...actionClass && { action_classes: actionClass },
    ...env && { env },
  };
}

/** Where the secret comes from; one that is asked for is stored. */
async function sourceOf(wanted: Wanted, configFile: string): Promise<Result<StoredSecret>> {
  const { name, source, store } = wanted;
  if (source !== undefined) return ok({ keys: source, remove: () => Promise.resolve() });
  const secret = await secretOf(wanted);
  return secret.ok ? await storeSecret(store, configFile, name, secret.value) : secret;
}

/** Takes over what a program has, if that is wanted; asks for it otherwise. */
async function secretOf({ name, service, fromSignIn }: Wanted): Promise<Result<string>> {
  const found = service && findSignIn(service, Deno.env.get("HOME") ?? "");
  if (fromSignIn && found === undefined) {
    return err({
      code: "SIGN_IN_MISSING",
      message: `Cannot take over a sign-in for "${name}": no program has one that can be`,
      cure: `firma credentials add ${name} asks for the secret`,
    });
  }
  if (found !== undefined && (fromSignIn || await isWanted(found))) return ok(found.secret);
  return await readSecret(`Secret of ${name}${service ? ` (${service.secret})` : ""}`);
}

async function isWanted(
  { program, path }: Pick<SignIn | TakeOver, "program" | "path">,
): Promise<boolean> {
  if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return false;
  const explanation = [
    `${program} keeps a sign-in in ${path}`,
    "Taken over, agents work with a placeholder of it, whatever they can read",
  ];
  return await confirm(explanation, "Take it over?");
}

interface Added {
  readonly file: string;
  readonly proof: Proof | undefined;
}

/** Tries what was asked for, and only then writes it down. */
async function write(
  editable: EditableConfig,
  { name, keys, service }: Wanted,
  source: Readonly<Record<string, Json>>,
  flags: AddFlags,
): Promise<Result<Added, Faults>> {
  const { file: { text }, config: before } = editable.existing;
  const isThere = before.sidecar.credentials.some(({ label }) => label === name);
  const edited = withCredential(text, name, { ...source, ...keys }, isThere);
  if (!edited.ok) return err([edited.error]);
  const config = parseEdited(editable, edited.value);
  if (!config.ok) return config;
  let proof: Proof | undefined;
  if (flags.test) {
    const proven = await proveIt(config.value, name, service?.probe);
    if (!proven.ok) return err([proven.error]);
    proof = proven.value;
  }
  const file = await writeEdited(editable, edited.value);
  return file.ok ? ok({ file: file.value, proof }) : file;
}

function withCredential(
  text: string,
  label: string,
  keys: Readonly<Record<string, Json>>,
  isThere: boolean,
): Result<string> {
  let edited: Result<string> = isThere
    ? removeKey(text, ["sidecar", "credentials", label])
    : ok(text);
  for (const [key, value] of Object.entries(keys)) {
    if (!edited.ok) return edited;
    edited = setKey(edited.value, ["sidecar", "credentials", label, key], value);
  }
  return edited;
}

async function proveIt(
  config: FirmaConfig,
  label: string,
  probe: Parameters<typeof prove>[2],
): Promise<Result<Proof>> {
  return await prove(
    config,
    config.sidecar.credentials.find((each) => each.label === label)!,
    probe,
  );
}

function report(
  { name, keys }: Wanted,
  { file, proof }: Added,
  effect: Effect,
  { json }: AddFlags,
): void {
  if (json) {
    const answer = proof?.answer ?? null;
    const added = { file, credential: name, tested: proof !== undefined, answer };
    return print(`${JSON.stringify({ ...added, ...effectJson(effect) }, null, 2)}\n`);
  }
  const words = (value: Json | undefined) => Array.isArray(value) ? value.join(", ") : "";
  print(`${escapeForTerminal(`Added ${name}: calls to ${words(keys.hosts)} get it`)}\n`);
  if (keys.env) {
    print(`${escapeForTerminal(`Agents find a placeholder of it in ${words(keys.env)}`)}\n`);
  }
  if (proof?.answer) {
    print(
      `${escapeForTerminal(`It works: ${proof.answer.url} answered ${proof.answer.status}`)}\n`,
    );
  } else if (proof) print("It can be obtained; nothing tried whether a server takes it\n");
  reportEffect(file, effect, keys.env !== undefined);
}
