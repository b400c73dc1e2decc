import { Command } from "commander";
import { join } from "../core/path.ts";
import { verifyLog, type VerifyReport } from "../audit/verify.ts";
import { dataDir } from "../config/paths.ts";
import { escapeForTerminal } from "../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { readPublicKeyFile } from "../pki/signing_key.ts";
import { auditLogInForce } from "./audit_log.ts";
import { examples } from "./examples.ts";
import { print, printError, printToStderr } from "./output.ts";
import { bold, hasColours, red, yellow } from "./style.ts";
import { withGlobals } from "./with_globals.ts";

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
  readonly publicKey?: string[];
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...previous ?? [], value];
}

const BROKEN = 1;
const CANNOT_VERIFY = 2;
/** A log that takes longer than this gets a progress line, in milliseconds. */
const PATIENCE_MS = 1_000;

async function publicKeys(files: readonly string[] | undefined): Promise<Result<Uint8Array[]>> {
  const paths = files ?? [join(dataDir(Deno.env.toObject()), "keys/audit.key.pub")];
  const keys: Uint8Array[] = [];
  for (const path of paths) {
    const key = await readPublicKeyFile(path);
    if (!key.ok) {
      const cure = "name the public key of the log: --public-key <file>";
      return err({ ...key.error, cure });
    }
    keys.push(key.value);
  }
  return ok(keys);
}

/** Writes how far it is to the terminal, and takes it away at the end. */
function progressLine(): { update(done: number, all: number): void; clear(): void } {
  const since = performance.now();
  let shown = false;
  return {
    update(done, all) {
      if (!Deno.stderr.isTerminal() || performance.now() - since < PATIENCE_MS) return;
      const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
      const percent = Math.floor((done / all) * 100);
      printToStderr(`\r${percent} % (${megabytes(done)} of ${megabytes(all)} MB)`);
      shown = true;
    },
    clear() {
      if (shown) printToStderr("\r\x1b[K");
    },
  };
}

function verdict(report: VerifyReport): string {
  const colours = hasColours(Deno.stdout);
  const file = escapeForTerminal(report.file);
  if (report.broken) {
    const { line, reason } = report.broken;
    const at = line === undefined ? "" : ` at line ${line}`;
    return `${file}: ${red(`broken${at}`, colours)}: ${escapeForTerminal(reason)}\n`;
  }
  const lines = report.lines === 1 ? "1 line" : `${report.lines} lines`;
  const head = `${file}: ${bold("whole", colours)}, ${lines}`;
  if (report.checkpointSize === undefined) {
    const doubt = yellow("no checkpoint beside it", colours);
    return `${head}; ${doubt}, so lines missing at its end would not show\n`;
  }
  return `${head}, checkpoint at line ${report.checkpointSize}\n`;
}

async function verify(path: string | undefined, flags: Flags): Promise<number> {
  const refuse = (errors: readonly FirmaError[]) => {
    errors.forEach(printError);
    return CANNOT_VERIFY;
  };
  const file = path === undefined ? auditLogInForce(flags.config) : ok(path);
  if (!file.ok) return refuse(file.error);
  const keys = await publicKeys(flags.publicKey);
  if (!keys.ok) return refuse([keys.error]);
  const progress = progressLine();
  const report = await verifyLog(file.value, {
    publicKeys: keys.value,
    onProgress: progress.update,
  });
  progress.clear();
  if (!report.ok) return refuse([report.error]);
  print(flags.json ? `${JSON.stringify(report.value)}\n` : verdict(report.value));
  return report.value.whole ? 0 : BROKEN;
}

const HELP = `
Exit status: 0 the log is whole, 1 it is broken, 2 it cannot be judged.

Examples:
  firma audit verify
  firma audit verify copy.jsonl --public-key audit.key.pub --json
`;

/** `firma audit verify [file]` */
export function command(): Command {
  const verifyCommand = new Command("verify")
    .summary("Prove an audit log whole, or name the first line that breaks it.")
    .description(
      "Prove that nothing was changed, removed, added or moved in an audit log, or name the\n" +
        "first line that breaks it.",
    )
    .argument("[file]", "the log (default: the one in force here)")
    .option("-c, --config <path>", "configuration file")
    .option("--public-key <file>", "key that signed it; repeat after a change of keys", collect)
    .option("--json", "print the result as a JSON object")
    .addHelpText("after", HELP)
    .action(async (path: string | undefined, _flags: Flags, command: Command) => {
      Deno.exitCode = await verify(path, withGlobals<Flags>(command));
    });
  return new Command("audit")
    .description("Examine the audit log.")
    .helpCommand(false)
    .addHelpText("after", examples("firma audit verify"))
    .addCommand(verifyCommand);
}
