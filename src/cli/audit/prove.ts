import { Command } from "commander";
import { proveEvent } from "../../audit/prove.ts";
import { ok, type Result } from "../../core/result.ts";
import { auditLogInForce } from "../audit_log.ts";
import { print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { publicKeyOption, publicKeys } from "./public_keys.ts";

interface Flags {
  readonly config?: string;
  readonly file?: string;
  readonly publicKey?: string[];
}

const FAILED = 2;

async function prove(event: string, flags: Flags): Promise<number> {
  const file = flags.file === undefined ? auditLogInForce(flags.config) : ok(flags.file);
  if (!file.ok) {
    file.error.forEach(printError);
    return FAILED;
  }
  const keys = await publicKeys(flags.publicKey);
  const proof = keys.ok ? await proofOf(file.value, event, keys.value) : keys;
  if (!proof.ok) {
    printError(proof.error);
    return FAILED;
  }
  print(proof.value);
  return 0;
}

async function proofOf(
  file: string,
  event: string,
  keys: readonly Uint8Array[],
): Promise<Result<string>> {
  try {
    return await proveEvent(file, event, keys);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    return {
      ok: false,
      error: {
        code: "AUDIT_LOG_UNREADABLE",
        message: `Cannot read the audit log "${file}": ${reason}`,
        cause,
      },
    };
  }
}

const HELP = `
The proof is a C2SP tlog-proof. It holds the event itself, and can be checked without the log.
Exit status: 0, or 2 when there is nothing to prove.

Examples:
  firma audit prove 1 >first.tlog-proof
  firma audit prove aevt_01m83jk9pbeqqtrw5qrjrzthm1 --file copy.jsonl
`;

/** `firma audit prove <event>` */
export function proveCommand(): Command {
  return new Command("prove")
    .description("Print a proof that an event is in the audit log.")
    .argument("<event>", "its number in the log, or its event_id")
    .option("-c, --config <path>", "configuration file")
    .option("--file <path>", "the log (default: the one in force here)")
    .addOption(publicKeyOption())
    .addHelpText("after", HELP)
    .action(async (event: string, _flags: Flags, command: Command) => {
      Deno.exitCode = await prove(event, withGlobals<Flags>(command));
    });
}
