import { Command } from "commander";
import type { FirmaConfig } from "../../config/schema.ts";
import { removeKey, setKey } from "../../config/toml_edit.ts";
import type { Json } from "../../config/value_type.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
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
import { type StoredSecret, storeSecret } from "./store_secret.ts";

type Faults = readonly FirmaError[];

const HELP = `
Without a --from flag the secret is asked for, or read from standard input where there is no
terminal, and kept where no agent can read it. It never stands on a command line. Known by name:
${serviceNames().join(", ")}.

Examples:
  firma credentials add github
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
  const there = existing.config.sidecar.credentials.find(({ label }) =>
    wanted.value.credentials.has(label)
  );
  if (there !== undefined && !flags.replace) {
    return err([{
      code: "CREDENTIAL_EXISTS",
      message: `Cannot add "${there.label}": there is a credential of this name`,
      cure: "--replace puts the new one in its place",
    }]);
  }
  const stored = await sourceOf(name, wanted.value, existing.file.file);
  if (!stored.ok) return err([stored.error]);
  const added = await write(editable.value, wanted.value, stored.value.keys, flags);
  if (!added.ok) await stored.value.remove();
  if (!added.ok) return added;
  report(wanted.value, added.value, flags);
  return ok(undefined);
}

/** Where the secret comes from; one that is asked for is stored. */
async function sourceOf(
  name: string,
  { source, store, service }: Wanted,
  configFile: string,
): Promise<Result<StoredSecret>> {
  if (source !== undefined) return ok({ keys: source, remove: () => Promise.resolve() });
  const secret = await readSecret(`Secret of ${name}${service ? ` (${service.secret})` : ""}`);
  return secret.ok ? await storeSecret(store, configFile, name, secret.value) : secret;
}

interface Added {
  readonly file: string;
  readonly proof: Proof | undefined;
}

/** Tries what was asked for, and only then writes it down. */
async function write(
  editable: EditableConfig,
  { credentials, service }: Wanted,
  source: Readonly<Record<string, Json>>,
  flags: AddFlags,
): Promise<Result<Added, Faults>> {
  let text = editable.existing.file.text;
  const present = new Set(editable.existing.config.sidecar.credentials.map(({ label }) => label));
  for (const [label, keys] of credentials) {
    const edited = withCredential(text, label, { ...source, ...keys }, present.has(label));
    if (!edited.ok) return err([edited.error]);
    text = edited.value;
  }
  const config = parseEdited(editable, text);
  if (!config.ok) return config;
  let proof: Proof | undefined;
  if (flags.test) {
    const proven = await proveFirst(config.value, [...credentials.keys()][0]!, service?.probe);
    if (!proven.ok) return err([proven.error]);
    proof = proven.value;
  }
  const file = await writeEdited(editable, text);
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

async function proveFirst(
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

function report({ credentials }: Wanted, { file, proof }: Added, { json }: AddFlags): void {
  if (json) {
    const answer = proof?.answer ?? null;
    const added = {
      file,
      credentials: [...credentials.keys()],
      tested: proof !== undefined,
      answer,
    };
    return print(`${JSON.stringify(added, null, 2)}\n`);
  }
  for (const [label, { hosts }] of credentials) {
    const to = Array.isArray(hosts) ? hosts.join(", ") : "";
    print(`${escapeForTerminal(`Added ${label}: calls to ${to} get it`)}\n`);
  }
  if (proof?.answer) {
    print(
      `${escapeForTerminal(`It works: ${proof.answer.url} answered ${proof.answer.status}`)}\n`,
    );
  } else if (proof) print("It can be obtained; nothing tried whether a server takes it\n");
  printNotice("info", `${file} changed and is trusted; a Sidecar that runs has to start again`);
}
