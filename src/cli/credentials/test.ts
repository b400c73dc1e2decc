import { Command } from "commander";
import { loadConfig } from "../../config/load.ts";
import { trustState } from "../../config/trust.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { examples } from "../examples.ts";
import { configTarget } from "../config_target.ts";
import { errorLines, print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { type Proof, prove } from "./prove.ts";
import { knownService } from "./services.ts";

interface TestFlags {
  readonly config?: string;
  readonly json?: boolean;
  readonly path?: string;
}

interface Tested {
  readonly name: string;
  readonly result: Result<Proof>;
}

/** `firma credentials test` */
export function testCommand(): Command {
  return new Command("test")
    .description("Obtain credentials as a Sidecar would, and try them.")
    .argument("[name...]", "names of credentials (default: all)")
    .option("--path <path>", "try it with a GET of this path at its first host")
    .option("--json", "print a list of JSON objects")
    .option("-c, --config <path>", "configuration file")
    .addHelpText(
      "after",
      examples("firma credentials test", "firma credentials test work --path /v1/me"),
    )
    .action(async (names: string[], _flags: unknown, command: Command) => {
      const flags = withGlobals<TestFlags>(command);
      const tested = await test(names, flags);
      if (!tested.ok) tested.error.forEach(printError);
      else report(tested.value, flags.json ?? false);
      if (!tested.ok || tested.value.some(({ result }) => !result.ok)) Deno.exitCode = 1;
    });
}

async function test(
  names: readonly string[],
  flags: TestFlags,
): Promise<Result<readonly Tested[], readonly FirmaError[]>> {
  const target = configTarget(undefined, flags.config);
  if (!target.ok) return err([target.error]);
  const loaded = loadConfig(target.value.file, Deno.env.toObject());
  if (!loaded.ok) return loaded;
  const { file, config } = loaded.value;
  // It names programs that are run, and hosts that secrets go to.
  if (trustState(file, Deno.env.toObject()).state !== "trusted") {
    return err([{
      code: "CONFIG_NOT_TRUSTED",
      message: `Cannot test the credentials of "${file.file}": you have not trusted it`,
      cure: "read it, then: firma trust",
    }]);
  }
  const { credentials } = config.sidecar;
  const missing = names.find((name) => !credentials.some(({ label }) => label === name));
  if (missing !== undefined) {
    return err([{
      code: "CREDENTIAL_UNKNOWN",
      message: `Cannot test "${missing}": there is no credential of this name`,
      cure: "firma credentials list",
    }]);
  }
  const wanted = credentials.filter(({ label }) => names.length === 0 || names.includes(label));
  return ok(
    await Promise.all(wanted.map(async (credential): Promise<Tested> => {
      const known = knownService(credential.label);
      const hasItsHost = known.ok &&
        known.value?.hosts[0] === credential.hosts[0]?.host;
      const usual = known.ok && hasItsHost ? known.value?.probe : undefined;
      const probe = flags.path === undefined ? usual : { path: flags.path };
      return { name: credential.label, result: await prove(config, credential, probe) };
    })),
  );
}

function report(tested: readonly Tested[], json: boolean): void {
  if (json) {
    const rows = tested.map(({ name, result }) =>
      result.ok
        ? {
          name,
          ok: true,
          provider: result.value.provider,
          expires_at: timeOf(result.value.expiresAtMs),
          answer: result.value.answer ?? null,
        }
        : { name, ok: false, error: { code: result.error.code, message: result.error.message } }
    );
    return print(`${JSON.stringify(rows, null, 2)}\n`);
  }
  if (tested.length === 0) print("no credentials\n");
  for (const { name, result } of tested) {
    if (!result.ok) print(`FAILED  ${errorLines(result.error).join("\n        ")}\n`);
    else print(`ok      ${escapeForTerminal(`${name}: ${said(result.value)}`)}\n`);
  }
}

function said({ provider, expiresAtMs, answer }: Proof): string {
  const end = timeOf(expiresAtMs);
  return [
    `obtained from ${provider}`,
    ...(end === null ? [] : [`good until ${end}`]),
    ...(answer === undefined ? [] : [`${answer.url} answered ${answer.status}`]),
  ].join(", ");
}

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
