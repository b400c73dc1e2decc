import { Command } from "commander";
import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import { loadConfig } from "../../config/load.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { examples } from "../examples.ts";
import { configTarget } from "../config_target.ts";
import { print, printError } from "../output.ts";
import { textTable } from "../policy/table.ts";
import { withGlobals } from "../with_globals.ts";

interface ListFlags {
  readonly config?: string;
  readonly json?: boolean;
}

/** `firma credentials list` */
export function listCommand(): Command {
  return new Command("list")
    .description("List the credentials of the configuration in force, and where each one goes.")
    .option("--json", "print a list of JSON objects")
    .option("-c, --config <path>", "configuration file")
    .addHelpText("after", examples("firma credentials list", "firma credentials list --json"))
    .action((_flags: unknown, command: Command) => {
      const flags = withGlobals<ListFlags>(command);
      const found = configuredCredentials(flags.config);
      if (found.ok) return print(flags.json ? asJson(found.value) : asTable(found.value));
      found.error.forEach(printError);
      Deno.exitCode = 1;
    });
}

/** The credentials of the configuration in force. */
function configuredCredentials(
  flag: string | undefined,
): Result<readonly CredentialConfig[], readonly FirmaError[]> {
  const target = configTarget(undefined, flag);
  if (!target.ok) return err([target.error]);
  const loaded = loadConfig(target.value.file, Deno.env.toObject());
  return loaded.ok ? ok(loaded.value.config.sidecar.credentials) : loaded;
}

function asJson(credentials: readonly CredentialConfig[]): string {
  const rows = credentials.map((each) => ({
    name: each.label,
    provider: each.source.kind,
    hosts: hostsOf(each),
    paths: each.paths,
    action_classes: each.actionClasses,
    header: each.form.header,
  }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

function asTable(credentials: readonly CredentialConfig[]): string {
  if (credentials.length === 0) return "no credentials; firma credentials add gives calls some\n";
  return textTable([
    ["NAME", "PROVIDER", "HOSTS", "HEADER", "ONLY FOR"],
    ...credentials.map((each) => [
      each.label,
      each.source.kind,
      hostsOf(each).join(", "),
      each.form.header,
      [...each.paths, ...each.actionClasses].join(", ") || "-",
    ]),
  ]);
}

function hostsOf({ hosts }: CredentialConfig): string[] {
  return hosts.map(({ host, port }) => port === 443 ? host : `${host}:${port}`);
}
