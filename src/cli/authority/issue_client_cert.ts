import { Command } from "commander";
import { authorizeClient } from "../../authority/service/authorize_client.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import { issueCertificate, type KeyedCertificate } from "../../pki/certificate_authority.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import { examples } from "../examples.ts";
import { print, printNotice } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { collect, days } from "./flags.ts";
import { authorityProject, refuse, STATUS } from "./project.ts";

interface Flags {
  readonly config?: string;
  readonly cn: string;
  readonly san?: string[];
  readonly days: number;
  readonly certOut?: string;
  readonly keyOut?: string;
  readonly authorize?: boolean;
  readonly agent?: string[];
  readonly force?: boolean;
}

async function readCa(config: AuthorityConfig): Promise<Result<KeyedCertificate>> {
  const { clientCaCertPath, clientCaKeyPath } = config;
  if (clientCaCertPath === undefined || clientCaKeyPath === undefined) {
    return err({
      code: "CLIENT_CA_MISSING",
      message: "Cannot issue a certificate: [authority] has no mtls_client_ca_cert_path and " +
        "mtls_client_ca_key_path",
      cure: "firma authority generate-client-ca makes both",
    });
  }
  const key = await readPrivateFile(clientCaKeyPath, "key of the client CA");
  if (!key.ok) return key;
  try {
    return ok({ certificate: await Deno.readTextFile(clientCaCertPath), key: key.value });
  } catch (cause) {
    return err({
      code: "CLIENT_CA_MISSING",
      message: `Cannot read the client CA "${clientCaCertPath}": ${
        cause instanceof Deno.errors.NotFound ? "there is no such file" : String(cause)
      }`,
      cause,
    });
  }
}

/** Where to add to the list of clients, when that was asked for. */
function listOf(config: AuthorityConfig, { authorize }: Flags): Result<string | undefined> {
  if (!authorize) return ok(undefined);
  if (config.authorizedClientsPath !== undefined) return ok(config.authorizedClientsPath);
  return err<FirmaError>({
    code: "CLIENT_LIST_MISSING",
    message: "Cannot put the client on the list: [authority] has no authorized_clients_path",
  });
}

async function issue(flags: Flags): Promise<number> {
  const config = authorityProject(flags.config);
  if (!config.ok) return refuse(config.error);
  const list = listOf(config.value, flags);
  if (!list.ok) return refuse([list.error]);
  const ca = await readCa(config.value);
  if (!ca.ok) return refuse([ca.error]);
  const { cn, san: names = [], days, force = false } = flags;
  const issued = await issueCertificate(ca.value, {
    commonName: cn,
    names,
    purpose: "client",
    days,
  });
  if (!issued.ok) return refuse([issued.error], STATUS.badInput);
  const [certOut, keyOut] = [flags.certOut ?? `${cn}.crt`, flags.keyOut ?? `${cn}.key`];
  const written = await writeNewFiles([
    { path: keyOut, text: issued.value.key, secret: true },
    { path: certOut, text: issued.value.certificate, secret: false },
  ], force);
  if (!written.ok) return refuse([written.error]);
  print(`${escapeForTerminal(certOut)}\n${escapeForTerminal(keyOut)}\n`);
  if (list.value === undefined) {
    if (config.value.authorizedClientsPath !== undefined) {
      printNotice("info", "The client is not on the list yet; --authorize puts one there");
    }
    return STATUS.ok;
  }
  const listed = await authorizeClient(list.value, {
    certificate: issued.value.certificate,
    agents: flags.agent,
  });
  return listed.ok ? STATUS.ok : refuse([listed.error]);
}

/** `firma authority issue-client-cert --cn <name>` */
export function issueClientCertCommand(): Command {
  return new Command("issue-client-cert")
    .description("Issue the certificate that a Sidecar shows to the Authority.")
    .requiredOption("--cn <name>", "common name; what the list of clients knows it by")
    .option("--san <name>", "a further name, host or address; repeat for more", collect)
    .option("--days <n>", "how long it is valid", days, 365)
    .option("--cert-out <file>", "where to write the certificate (default: <cn>.crt)")
    .option("--key-out <file>", "where to write the key (default: <cn>.key)")
    .option("--authorize", "put it on the list of clients as well, by its fingerprint")
    .option("--agent <agt_…>", "with --authorize: only for this agent; repeat for more", collect)
    .option("--force", "replace what is there")
    .option("-c, --config <path>", "configuration file")
    .addHelpText("after", examples("firma authority issue-client-cert --cn laptop --authorize"))
    .action(async (_flags: Flags, command: Command) => {
      Deno.exitCode = await issue(withGlobals<Flags>(command));
    });
}
