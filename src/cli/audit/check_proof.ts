import { Command } from "commander";
import { checkProof } from "../../audit/prove.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { print, printError } from "../output.ts";
import { bold, hasColours } from "../style.ts";
import { withGlobals } from "../with_globals.ts";
import { publicKeyOption, publicKeys } from "./public_keys.ts";

interface Flags {
  readonly json?: boolean;
  readonly publicKey?: string[];
}

const REFUSED = 1;
const CANNOT_CHECK = 2;

async function check(path: string, flags: Flags): Promise<number> {
  const keys = await publicKeys(flags.publicKey);
  if (!keys.ok) {
    printError(keys.error);
    return CANNOT_CHECK;
  }
  let text: string;
  try {
    text = path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : Deno.readTextFileSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    printError({
      code: "PROOF_UNREADABLE",
      message: `Cannot read the proof "${path}": ${reason}`,
      cause,
    });
    return CANNOT_CHECK;
  }
  const checked = checkProof(text, keys.value);
  if (!checked.ok) {
    printError(checked.error);
    return REFUSED;
  }
  const { line, seq, size, origin } = checked.value;
  if (flags.json) {
    print(`${JSON.stringify({ seq, size, origin, event: JSON.parse(line) })}\n`);
    return 0;
  }
  const verdict = bold("proved", hasColours(Deno.stdout));
  print(`${verdict}: event ${seq} of ${size} in ${escapeForTerminal(origin)}\n`);
  print(`${escapeForTerminal(line)}\n`);
  return 0;
}

const HELP = `
Needs the proof and the public key of the log, nothing else. Exit status: 0 the event was in the
log, 1 the proof does not hold, 2 it cannot be judged.

Examples:
  firma audit check-proof first.tlog-proof --public-key audit.key.pub
  firma audit check-proof first.tlog-proof --json
`;

/** `firma audit check-proof <proof>` */
export function checkProofCommand(): Command {
  return new Command("check-proof")
    .description("Check a proof that an event was in an audit log, and print the event.")
    .argument("<proof>", "a file that firma audit prove wrote, or - for standard input")
    .addOption(publicKeyOption())
    .option("--json", "print the result as a JSON object")
    .addHelpText("after", HELP)
    .action(async (path: string, _flags: Flags, command: Command) => {
      Deno.exitCode = await check(path, withGlobals<Flags>(command));
    });
}
