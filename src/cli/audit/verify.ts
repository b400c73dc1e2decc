import { Command } from "commander";
import { verifyLog, type VerifyReport } from "../../audit/verify.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { auditLogInForce } from "../audit_log.ts";
import { print, printError, printToStderr } from "../output.ts";
import { bold, hasColours, red, yellow } from "../style.ts";
import { withGlobals } from "../with_globals.ts";
import { publicKeyOption, publicKeys } from "./public_keys.ts";
import { type WitnessedHead, witnessedHead } from "./witnessed.ts";

interface Flags {
  readonly config?: string;
  readonly json?: boolean;
  readonly publicKey?: string[];
  readonly from?: string;
  readonly witness?: string;
}

const BROKEN = 1;
const CANNOT_VERIFY = 2;
/** A log that takes longer than this gets a progress line, in milliseconds. */
const PATIENCE_MS = 1_000;

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

function verdict(report: VerifyReport, witnessed: WitnessedHead | undefined): string {
  const colours = hasColours(Deno.stdout);
  const file = escapeForTerminal(report.file);
  if (report.broken) {
    const { line, reason, file: part } = report.broken;
    const where = part === undefined ? "" : ` of ${escapeForTerminal(part)}`;
    const at = line === undefined ? "" : ` at line ${line}${where}`;
    return `${file}: ${red(`broken${at}`, colours)}: ${escapeForTerminal(reason)}\n`;
  }
  const lines = report.lines === 1 ? "1 line" : `${report.lines} lines`;
  const seen = witnessed === undefined
    ? ""
    : `, cosigned at line ${witnessed.size} by ${escapeForTerminal(witnessed.witness)} at ` +
      witnessed.time;
  const head = `${file}: ${bold("whole", colours)}, ${lines}${extent(report)}${seen}`;
  if (report.checkpointSize === undefined) {
    const doubt = yellow("no checkpoint beside it", colours);
    return `${head}; ${doubt}, so lines missing at its end would not show\n`;
  }
  return `${head}, checkpoint at line ${report.checkpointSize}\n`;
}

/** What is not all of a log that lies in one file. */
function extent({ first, files, vouchedEarlier }: VerifyReport): string {
  const parts = [
    ...(files === undefined ? [] : [` in ${files} files`]),
    ...(first === undefined ? [] : [` from line ${first} on`]),
    ...(vouchedEarlier === undefined
      ? []
      : [` (of the first ${vouchedEarlier}, only that they are still the same)`]),
  ];
  return parts.join("");
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
  const from = earlierNote(flags.from);
  if (!from.ok) return refuse([from.error]);
  const witnessed = flags.witness === undefined
    ? undefined
    : witnessedHead(file.value, flags.witness);
  if (witnessed?.ok === false) return refuse([witnessed.error]);
  const progress = progressLine();
  const report = await verifyLog(file.value, {
    publicKeys: keys.value,
    onProgress: progress.update,
    ...(from.value !== undefined && { from: from.value }),
    ...(witnessed && { witnessed: witnessed.value }),
  });
  progress.clear();
  if (!report.ok) return refuse([report.error]);
  const seen = witnessed?.value;
  const cosigned = seen && { size: seen.size, witness: seen.witness, time: seen.time };
  print(
    flags.json
      ? `${JSON.stringify({ ...report.value, ...(cosigned && { cosigned }) })}\n`
      : verdict(report.value, seen),
  );
  return report.value.whole ? 0 : BROKEN;
}

function earlierNote(path: string | undefined): Result<string | undefined> {
  if (path === undefined) return ok(undefined);
  try {
    return ok(Deno.readTextFileSync(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `Cannot read the checkpoint "${path}": ${reason}`;
    return err({ code: "CHECKPOINT_UNREADABLE", message, cause });
  }
}

const HELP = `
A log goes with the files that it was rotated to. A directory stands for the one log in it, and a
single closed file can be verified by itself.

Exit status: 0 the log is whole, 1 it is broken, 2 it cannot be judged.

Examples:
  firma audit verify
  firma audit verify copy.jsonl --public-key audit.key.pub --json
  firma audit verify --from last-month.checkpoint
  firma audit verify --witness witness.vkey
`;

/** `firma audit verify [path]` */
export function verifyCommand(): Command {
  return new Command("verify")
    .summary("Prove an audit log whole, or name the first line that breaks it.")
    .description(
      "Prove that nothing was changed, removed, added or moved in an audit log, or name the\n" +
        "first line that breaks it.",
    )
    .argument("[path]", "the log, or its directory (default: the one in force here)")
    .option("-c, --config <path>", "configuration file")
    .addOption(publicKeyOption())
    .option(
      "--from <checkpoint>",
      "an earlier checkpoint: what it vouches for must be the same, the rest is verified",
    )
    .option(
      "--witness <key>",
      "the witness that cosigned it, or a file with its key: what it saw must be there still",
    )
    .option("--json", "print the result as a JSON object")
    .addHelpText("after", HELP)
    .action(async (path: string | undefined, _flags: Flags, command: Command) => {
      Deno.exitCode = await verify(path, withGlobals<Flags>(command));
    });
}
