import { Command } from "commander";
import { newSigningKey } from "../../pki/signing_key.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { examples } from "../examples.ts";
import { print } from "../output.ts";
import { refuse, STATUS } from "./project.ts";

interface Flags {
  readonly output: string;
  readonly force?: boolean;
}

async function generate({ output, force = false }: Flags): Promise<number> {
  const { privatePem, publicLine } = newSigningKey();
  const written = await writeNewFiles([
    { path: output, text: privatePem, secret: true },
    { path: `${output}.pub`, text: publicLine, secret: false },
  ], force);
  if (!written.ok) return refuse([written.error]);
  print(`${escapeForTerminal(output)}\n${escapeForTerminal(`${output}.pub`)}\n`);
  return STATUS.ok;
}

/** `firma authority generate-key -o <file>` */
export function generateKeyCommand(): Command {
  return new Command("generate-key")
    .summary("Make the key that tokens and bundles are signed with.")
    .description(
      "Make the key that tokens and bundles are signed with (Ed25519), and beside it, with .pub\n" +
        "behind its name, the public key that Sidecars verify them with.",
    )
    .option("-o, --output <file>", "where to write it", "firma-authority.key")
    .option("--force", "replace what is there; tokens of the old key are worth nothing then")
    .addHelpText("after", examples("firma authority generate-key -o firma-authority.key"))
    .action(async (flags: Flags) => {
      Deno.exitCode = await generate(flags);
    });
}
