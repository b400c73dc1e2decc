import { Command } from "commander";
import { documentFiles, identityDocuments } from "../../authority/identity/identity_issuer.ts";
import { rotateIdentityKeys } from "../../authority/identity/identity_keys.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { examples } from "../examples.ts";
import { print } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { authorityProject, refuse, STATUS } from "./project.ts";

interface Flags {
  readonly config?: string;
  readonly output?: string;
  readonly rotate?: boolean;
}

async function identity({ config: flag, output, rotate = false }: Flags): Promise<number> {
  const config = authorityProject(flag);
  if (!config.ok) return refuse(config.error);
  const { identity } = config.value;
  if (identity === undefined) {
    return refuse([{
      code: "IDENTITY_NOT_CONFIGURED",
      message: "Cannot write what ID tokens are verified by: there are none",
      cure: "write issuer and audiences in [authority.identity]",
    }]);
  }
  const now = Date.now();
  const rotated = rotate ? await rotateIdentityKeys(identity.keyFile, now) : undefined;
  if (rotated?.ok === false) return refuse([rotated.error]);
  const documents = await identityDocuments(identity, now);
  if (!documents.ok) return refuse([documents.error]);
  if (output === undefined) {
    print(`${JSON.stringify(Object.fromEntries(documents.value), undefined, 2)}\n`);
    return STATUS.ok;
  }
  const files = documentFiles(output, documents.value);
  const written = await writeNewFiles(files, true);
  if (!written.ok) return refuse([written.error]);
  print(files.map(({ path }) => `${escapeForTerminal(path)}\n`).join(""));
  return STATUS.ok;
}

/** `firma authority identity` */
export function identityCommand(): Command {
  return new Command("identity")
    .summary("Write what services verify ID tokens by.")
    .description(
      "Write what services verify ID tokens by: the discovery document and the public keys, as they\n" +
        "have to lie below the issuer. With --rotate there is a new key among them, which signs in a\n" +
        "day: put the files where the issuer is before that.",
    )
    .option("-o, --output <directory>", "where to write them; otherwise they are printed")
    .option("--rotate", "make a new key first")
    .option("-c, --config <path>", "configuration file")
    .addHelpText("after", examples("firma authority identity -o /var/www/firma"))
    .action(async (_: Flags, command: Command) => {
      Deno.exitCode = await identity(withGlobals<Flags>(command));
    });
}
