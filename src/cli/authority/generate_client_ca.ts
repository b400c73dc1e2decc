import { Command } from "commander";
import { escapeForTerminal } from "../../core/escape.ts";
import { createAuthority } from "../../pki/certificate_authority.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { examples } from "../examples.ts";
import { print } from "../output.ts";
import { days } from "./flags.ts";
import { refuse, STATUS } from "./project.ts";

interface Flags {
  readonly certOut: string;
  readonly keyOut: string;
  readonly days: number;
  readonly cn: string;
  readonly force?: boolean;
}

async function generate({ certOut, keyOut, days, cn, force = false }: Flags): Promise<number> {
  const made = await createAuthority(cn, days);
  if (!made.ok) return refuse([made.error], STATUS.badInput);
  const written = await writeNewFiles([
    { path: keyOut, text: made.value.key, secret: true },
    { path: certOut, text: made.value.certificate, secret: false },
  ], force);
  if (!written.ok) return refuse([written.error]);
  print(`${escapeForTerminal(certOut)}\n${escapeForTerminal(keyOut)}\n`);
  return STATUS.ok;
}

/** `firma authority generate-client-ca` */
export function generateClientCaCommand(): Command {
  return new Command("generate-client-ca")
    .description("Make the certificate authority that certificates of Sidecars come from.")
    .option("--cert-out <file>", "where to write the certificate", "firma-client-ca.crt")
    .option("--key-out <file>", "where to write the key", "firma-client-ca.key")
    .option("--days <n>", "how long it is valid", days, 3650)
    .option("--cn <name>", "its common name", "Firma mTLS Client CA")
    .option("--force", "replace what is there")
    .addHelpText("after", examples("firma authority generate-client-ca --days 730"))
    .action(async (flags: Flags) => {
      Deno.exitCode = await generate(flags);
    });
}
