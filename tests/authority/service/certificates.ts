import {
  createAuthority,
  issueCertificate,
  type KeyedCertificate,
} from "../../../src/pki/certificate_authority.ts";
import { unwrap } from "../../../src/core/result.ts";
import { X509Certificate } from "node:crypto";
import { directory } from "../support.ts";

const DAY_MS = 24 * 3_600_000;

/** SHA-256 of a certificate, as lists of clients take it. */
export function fingerprint({ certificate }: KeyedCertificate): string {
  return new X509Certificate(certificate).fingerprint256;
}

/** Certificates of an Authority and of clients, in files. */
export async function certificates() {
  const files = await directory({});
  const { path } = files;
  const serverCa = unwrap(await createAuthority("Server CA", 10));
  const clientCa = unwrap(await createAuthority("Client CA", 10));
  const write = async (name: string, made: KeyedCertificate) => {
    await Deno.writeTextFile(`${path}/${name}.crt`, made.certificate);
    await Deno.writeTextFile(`${path}/${name}.key`, made.key);
    await Deno.chmod(`${path}/${name}.key`, 0o600);
  };
  const server = async (nowMs?: number) =>
    await write(
      "server",
      unwrap(
        await issueCertificate(serverCa, {
          commonName: "authority",
          names: ["localhost", "127.0.0.1"],
          purpose: "server",
          days: 1,
        }, nowMs),
      ),
    );
  await server();
  await write("clients", clientCa);
  await Deno.writeTextFile(`${path}/roots.crt`, serverCa.certificate);
  const authorize = (toml: string) => Deno.writeTextFile(`${path}/authorized.toml`, toml);
  await authorize('[[authorized]]\ncn = "sidecar-1"\n');
  return {
    path,
    authorize,
    clientCa,
    /** Writes a new certificate of the server. */
    renewServer: server,
    serverTls: {
      certPath: `${path}/server.crt`,
      keyPath: `${path}/server.key`,
      clientCaPath: `${path}/clients.crt`,
      authorizedClientsPath: `${path}/authorized.toml`,
    },
    /** Makes a client's certificate; `ageDays` ago, of a day's life. */
    client: async (
      commonName: string,
      { ca = clientCa, ageDays = 0, names = [] as string[], purpose = "client" as const }: {
        ca?: KeyedCertificate;
        ageDays?: number;
        names?: string[];
        purpose?: "client" | "server";
      } = {},
    ) => {
      const made = unwrap(
        await issueCertificate(
          ca,
          { commonName, names, purpose, days: 1 },
          Date.now() - ageDays * DAY_MS,
        ),
      );
      const name = `client-${crypto.randomUUID()}`;
      await write(name, made);
      return {
        fingerprint: fingerprint(made),
        write: (renewed: KeyedCertificate) => write(name, renewed),
        files: {
          caPath: `${path}/roots.crt`,
          certPath: `${path}/${name}.crt`,
          keyPath: `${path}/${name}.key`,
        },
      };
    },
    [Symbol.asyncDispose]: () => files[Symbol.asyncDispose](),
  };
}
