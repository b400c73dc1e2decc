import { Command } from "commander";
import { join, resolve } from "../../core/path.ts";
import { clientEntry } from "../../authority/service/authorize_client.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { ok, type Result } from "../../core/result.ts";
import {
  createAuthority,
  issueCertificate,
  type KeyedCertificate,
} from "../../pki/certificate_authority.ts";
import { type NewFile, writeNewFiles } from "../../pki/new_files.ts";
import { examples } from "../examples.ts";
import { print } from "../output.ts";
import { collect } from "./flags.ts";
import { refuse, STATUS } from "./project.ts";

interface Flags {
  readonly outDir: string;
  readonly host?: string[];
  readonly force?: boolean;
}

const CA_DAYS = 3650;
const LEAF_DAYS = 365;
const THIS_MACHINE = ["localhost", "127.0.0.1", "::1"];

interface Made {
  readonly ca: KeyedCertificate;
  readonly server: KeyedCertificate;
  readonly client: KeyedCertificate;
}

async function make(hosts: readonly string[]): Promise<Result<Made>> {
  const ca = await createAuthority("Firma CA", CA_DAYS);
  if (!ca.ok) return ca;
  const base = { days: LEAF_DAYS } as const;
  const server = await issueCertificate(ca.value, {
    ...base,
    commonName: "firma authority",
    names: hosts,
    purpose: "server",
  });
  if (!server.ok) return server;
  const client = await issueCertificate(ca.value, {
    ...base,
    commonName: "firma sidecar",
    names: [],
    purpose: "client",
  });
  if (!client.ok) return client;
  return { ok: true, value: { ca: ca.value, server: server.value, client: client.value } };
}

/** The files that mutual TLS needs, for an Authority that Sidecars call by these names. */
export async function tlsFiles(
  outDir: string,
  hosts: readonly string[] = THIS_MACHINE,
): Promise<Result<NewFile[]>> {
  const made = await make(hosts);
  if (!made.ok) return made;
  const files: NewFile[] = Object.entries(made.value).flatMap((
    [name, { certificate, key }]: [string, KeyedCertificate],
  ) => [
    { path: join(outDir, `${name}.crt`), text: certificate, secret: false },
    { path: join(outDir, `${name}.key`), text: key, secret: true },
  ]);
  files.push({
    path: join(outDir, "authorized-clients.toml"),
    text: clientEntry(made.value.client, new Date().toISOString()),
    secret: false,
  });
  return ok(files);
}

async function initTls({ outDir, host, force = false }: Flags): Promise<number> {
  const files = await tlsFiles(outDir, host);
  if (!files.ok) return refuse([files.error], STATUS.badInput);
  const written = await writeNewFiles(files.value, force);
  if (!written.ok) return refuse([written.error]);
  const path = (name: string) => JSON.stringify(resolve(outDir, name));
  print(escapeForTerminal(`# Written to ${outDir}. For [authority] in firma.toml:`) + "\n");
  print(`tls_cert_path = ${path("server.crt")}
tls_key_path = ${path("server.key")}
mtls_client_ca_cert_path = ${path("ca.crt")}
mtls_client_ca_key_path = ${path("ca.key")}
authorized_clients_path = ${path("authorized-clients.toml")}
`);
  return STATUS.ok;
}

/** `firma authority init-tls` */
export function initTlsCommand(): Command {
  return new Command("init-tls")
    .summary("Make everything that mutual TLS needs.")
    .description(
      "Make everything that mutual TLS needs: a certificate authority, a certificate for the\n" +
        "Authority and one for a Sidecar, and the list of clients with that one on it.",
    )
    .option("--out-dir <directory>", "where to write", ".")
    .option("--host <san>", "what Sidecars call the Authority; repeat for more", collect)
    .option("--force", "replace what is there")
    .addHelpText("after", `\nWithout --host: ${THIS_MACHINE.join(", ")}.\n`)
    .addHelpText(
      "after",
      examples("firma authority init-tls --out-dir tls --host authority.example.com"),
    )
    .action(async (flags: Flags) => {
      Deno.exitCode = await initTls(flags);
    });
}
