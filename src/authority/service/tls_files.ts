import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { readPrivateFile } from "../../pki/private_file.ts";
import { type AllowList, parseAllowList } from "./allow_list.ts";

/** The files that mutual TLS needs. */
export interface TlsFiles {
  /** PEM: the server's certificate, then those between it and its root. */
  readonly certPath: string;
  /** PEM, PKCS#8, mode 0600. */
  readonly keyPath: string;
  /** PEM: the authorities that certificates of clients may come from. */
  readonly clientCaPath: string;
  /** TOML: which clients may connect. */
  readonly authorizedClientsPath: string;
}

/** What is in the files, checked. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
  readonly clientCas: readonly X509Certificate[];
  readonly allowList: AllowList;
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Reads and checks all four files; the error is everything that is wrong with them. */
export async function readTlsMaterial(
  files: TlsFiles,
  nowMs: number,
): Promise<Result<TlsMaterial, readonly FirmaError[]>> {
  const [cert, key, ca, list] = await Promise.all([
    readCertificates(files.certPath, "server certificate", nowMs),
    readKey(files.keyPath),
    readCertificates(files.clientCaPath, "certificate authority of clients", nowMs),
    readAllowList(files.authorizedClientsPath),
  ]);
  const errors = [cert, key, ca, list].flatMap((part) => part.ok ? [] : [part.error]);
  if (!cert.ok || !key.ok || !ca.ok || !list.ok) return err(errors);
  if (!belongsTo(key.value, cert.value.certificates[0]!)) {
    errors.push(fault(files.keyPath, "server key", "it is not the key of the certificate"));
  }
  for (const authority of ca.value.certificates) {
    if (!authority.ca) {
      const state = `"${authority.subject}" is not a certificate authority`;
      errors.push(fault(files.clientCaPath, "certificate authority of clients", state));
    }
  }
  if (errors.length > 0) return err(errors);
  return ok({
    cert: cert.value.pem,
    key: key.value,
    clientCa: ca.value.pem,
    clientCas: ca.value.certificates,
    allowList: list.value,
  });
}

async function readCertificates(
  path: string,
  what: string,
  nowMs: number,
): Promise<Result<{ pem: string; certificates: X509Certificate[] }>> {
  const read = await readText(path, what);
  if (!read.ok) return read;
  try {
    const certificates = (read.value.match(CERTIFICATE) ?? []).map((pem) =>
      new X509Certificate(pem)
    );
    if (certificates.length === 0) return err(fault(path, what, "it holds no certificate"));
    const late = certificates.find(({ validTo }) => Date.parse(validTo) < nowMs);
    if (late !== undefined) {
      return err(fault(path, what, `"${late.subject}" has expired on ${late.validTo}`));
    }
    return ok({ pem: read.value, certificates });
  } catch {
    return err(fault(path, what, "it is not a certificate in PEM"));
  }
}

async function readKey(path: string): Promise<Result<string>> {
  try {
    return await readPrivateFile(path, "server key");
  } catch (cause) {
    return err(fault(path, "server key", cause instanceof Error ? cause.message : String(cause)));
  }
}

async function readAllowList(path: string): Promise<Result<AllowList>> {
  const read = await readText(path, "list of clients");
  return read.ok ? parseAllowList(read.value, path) : read;
}

async function readText(path: string, what: string): Promise<Result<string>> {
  try {
    return ok(await Deno.readTextFile(path));
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    const state = missing ? "there is no such file" : String(cause);
    return err({ ...fault(path, what, state), code: missing ? "FILE_MISSING" : "FILE_UNREADABLE" });
  }
}

function belongsTo(key: string, certificate: X509Certificate): boolean {
  try {
    const spki = { type: "spki", format: "der" } as const;
    const own = createPublicKey(createPrivateKey(key)).export(spki);
    return Buffer.compare(own, certificate.publicKey.export(spki)) === 0;
  } catch {
    return false;
  }
}

function fault(path: string, what: string, state: string): FirmaError {
  return {
    code: "TLS_INVALID",
    message: `Cannot use the ${what} "${path}": ${state}`,
    cure: "firma authority init-tls makes new ones",
    at: { file: path },
  };
}
