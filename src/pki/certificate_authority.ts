import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { err, ok, type Result } from "../core/result.ts";
import { addressBytes } from "./address_bytes.ts";
import {
  BACKDATED_MS,
  COMMON_NAME_MAX,
  distinguishedName,
  extensions,
  KEY_ALGORITHM,
  keyIdentifier,
  pem,
  signCertificate,
} from "./certificate.ts";
import { readElement, readElements } from "./der_reader.ts";

/** A certificate with its key. */
export interface KeyedCertificate {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS#8. */
  readonly key: string;
}

/** What a certificate of {@linkcode issueCertificate} says. */
export interface CertificateRequest {
  readonly commonName: string;
  /** DNS names and IP addresses. */
  readonly names: readonly string[];
  readonly purpose: "server" | "client";
  readonly days: number;
}

const DAY_MS = 24 * 3_600_000;
const SUBJECT_KEY = "2.5.29.14";
const DNS_NAME = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]{0,251}[a-z0-9_])?$/i;

/** Makes a certificate authority whose certificates are all leaves. */
export async function createAuthority(
  commonName: string,
  days: number,
  nowMs: number = Date.now(),
): Promise<Result<KeyedCertificate>> {
  const fault = commonNameFault(commonName);
  if (fault !== undefined) return refuse(commonName, fault);
  const keys = await newKeys();
  const name = distinguishedName(commonName, "firma");
  const identifier = await keyIdentifier(keys.publicKey);
  const certificate = await signCertificate({
    issuer: name,
    subject: name,
    notBefore: nowMs - BACKDATED_MS,
    notAfter: nowMs + days * DAY_MS,
    publicKey: keys.publicKey,
    extensions: [
      extensions.authorityOfLeaves(),
      extensions.signsCertificates(),
      extensions.subjectKey(identifier),
    ],
  }, keys.privateKey);
  return ok({ certificate: pem("CERTIFICATE", certificate), key: await keyPem(keys.privateKey) });
}

/** Makes a certificate with its key, signed by `authority` (a P-256 key). */
export async function issueCertificate(
  authority: KeyedCertificate,
  { commonName, names, purpose, days }: CertificateRequest,
  nowMs: number = Date.now(),
): Promise<Result<KeyedCertificate>> {
  const fault = commonNameFault(commonName);
  if (fault !== undefined) return refuse(commonName, fault);
  const alternative: (string | Uint8Array)[] = [];
  for (const name of names) {
    const bytes = addressBytes(name);
    if (bytes === undefined && !DNS_NAME.test(name)) {
      return refuse(commonName, `"${name}" is neither a host name nor an address`);
    }
    alternative.push(bytes ?? name.toLowerCase());
  }
  const issuer = await openAuthority(authority);
  if (!issuer.ok) return issuer;
  const keys = await newKeys();
  const certificate = await signCertificate({
    issuer: issuer.value.subject,
    subject: distinguishedName(commonName),
    notBefore: nowMs - BACKDATED_MS,
    notAfter: Math.min(nowMs + days * DAY_MS, issuer.value.notAfterMs),
    publicKey: keys.publicKey,
    extensions: [
      extensions.notAnAuthority(),
      extensions.signsHandshakes(),
      purpose === "server" ? extensions.forServers() : extensions.forClients(),
      ...(alternative.length > 0 ? [extensions.alternativeNames(alternative)] : []),
      ...(issuer.value.keyIdentifier ? [extensions.authorityKey(issuer.value.keyIdentifier)] : []),
      extensions.subjectKey(await keyIdentifier(keys.publicKey)),
    ],
  }, issuer.value.key);
  return ok({ certificate: pem("CERTIFICATE", certificate), key: await keyPem(keys.privateKey) });
}

interface OpenedAuthority {
  /** Encoded name. */
  readonly subject: Uint8Array;
  readonly key: CryptoKey;
  readonly keyIdentifier: Uint8Array | undefined;
  readonly notAfterMs: number;
}

async function openAuthority(
  { certificate, key }: KeyedCertificate,
): Promise<Result<OpenedAuthority>> {
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.ca) return unusable("it is not a certificate authority");
    const privateKey = createPrivateKey(key);
    const spki = { type: "spki", format: "der" } as const;
    const own = createPublicKey(privateKey).export(spki);
    if (Buffer.compare(own, parsed.publicKey.export(spki)) !== 0) {
      return unusable("the key is not that of the certificate");
    }
    const der = new Uint8Array(privateKey.export({ type: "pkcs8", format: "der" }));
    const notAfterMs = Date.parse(parsed.validTo);
    if (!(notAfterMs > Date.now())) return unusable(`it has expired on ${parsed.validTo}`);
    return ok({
      ...subjectOf(new Uint8Array(parsed.raw)),
      key: await crypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]),
      notAfterMs,
    });
  } catch {
    return unusable("certificate and key are not those of an authority with a P-256 key");
  }
}

/** The encoded subject of a certificate and the identifier of its key (RFC 5280, 4.1). */
function subjectOf(certificate: Uint8Array): {
  subject: Uint8Array;
  keyIdentifier: Uint8Array | undefined;
} {
  const body = readElements(readElements(readElement(certificate).contents)[0]!.contents);
  // version, serial number, algorithm, issuer, validity, subject, key, extensions
  const subject = body[5]!.encoded;
  const all = body.find(({ tag }) => tag === 0xa3);
  const list = all ? readElements(readElement(all.contents).contents) : [];
  for (const extension of list) {
    const parts = readElements(extension.contents);
    if (parts[0]!.oid !== SUBJECT_KEY) continue;
    return { subject, keyIdentifier: readElement(parts.at(-1)!.contents).contents };
  }
  return { subject, keyIdentifier: undefined };
}

async function newKeys(): Promise<CryptoKeyPair> {
  return await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
}

async function keyPem(key: CryptoKey): Promise<string> {
  return pem("PRIVATE KEY", new Uint8Array(await crypto.subtle.exportKey("pkcs8", key)));
}

function commonNameFault(commonName: string): string | undefined {
  if (commonName === "") return "the name is empty";
  if ([...commonName].length > COMMON_NAME_MAX) {
    return `the name is longer than ${COMMON_NAME_MAX} characters`;
  }
  return /\p{C}/u.test(commonName) ? "the name holds control characters" : undefined;
}

function refuse(commonName: string, state: string): Result<never> {
  return err({
    code: "CERTIFICATE_REQUEST_INVALID",
    message: `Cannot make a certificate for "${commonName}": ${state}`,
  });
}

function unusable(state: string): Result<never> {
  return err({
    code: "CERTIFICATE_AUTHORITY_UNUSABLE",
    message: `Cannot sign with the certificate authority: ${state}`,
    cure: "firma authority generate-client-ca makes one",
  });
}
