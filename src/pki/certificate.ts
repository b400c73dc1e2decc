import {
  bitString,
  type Der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  tagged,
  time,
  TRUE,
  utf8String,
} from "./der.ts";

/** The kind of key that certificates are made for and signed with. */
export const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

/** How far back a certificate begins, in milliseconds: whoever checks it may have a clock that is behind. */
export const BACKDATED_MS = 3_600_000;
/** Longest common name, in characters (RFC 5280, appendix A). */
export const COMMON_NAME_MAX = 64;

const ECDSA_WITH_SHA256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const VERSION_3 = tagged(0xa0, integer(Uint8Array.of(2)));
/** How the key of a P-256 key pair ends: an uncompressed point. */
const POINT_BYTES = 65;

/** What a certificate says (RFC 5280, 4.1), but for its serial number, which is random. */
export interface CertificateContent {
  /** Names, encoded; see {@linkcode distinguishedName}. */
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  /** Milliseconds since the epoch, both included. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: CryptoKey;
  readonly extensions: readonly Uint8Array[];
}

/** Signs a certificate with a P-256 key; DER. */
export async function signCertificate(
  content: CertificateContent,
  signingKey: CryptoKey,
): Promise<Der> {
  const spki = await crypto.subtle.exportKey("spki", content.publicKey);
  const body = sequence(
    VERSION_3,
    integer(randomSerial()),
    ECDSA_WITH_SHA256,
    content.issuer,
    sequence(time(content.notBefore), time(content.notAfter)),
    content.subject,
    new Uint8Array(spki),
    tagged(0xa3, sequence(...content.extensions)),
  );
  const signature = new Uint8Array(await crypto.subtle.sign(KEY_ALGORITHM, signingKey, body));
  const half = signature.length / 2;
  const encoded = sequence(
    integer(signature.subarray(0, half)),
    integer(signature.subarray(half)),
  );
  return sequence(body, ECDSA_WITH_SHA256, bitString(encoded));
}

/** A name of one or two parts; the empty name where `commonName` is absent. */
export function distinguishedName(commonName?: string, organisation?: string): Der {
  const part = (type: string, text: string) =>
    setOf(sequence(objectIdentifier(type), utf8String(text)));
  return sequence(
    ...(organisation === undefined ? [] : [part("2.5.4.10", organisation)]),
    ...(commonName === undefined ? [] : [part("2.5.4.3", commonName)]),
  );
}

/** Names a key in certificates: the first 160 bits of its SHA-256 (RFC 7093, 2, method 1). */
export async function keyIdentifier(publicKey: CryptoKey): Promise<Uint8Array> {
  const spki = new Uint8Array(await crypto.subtle.exportKey("spki", publicKey));
  const digest = await crypto.subtle.digest("SHA-256", spki.subarray(-POINT_BYTES));
  return new Uint8Array(digest).subarray(0, 20);
}

function extension(type: string, critical: boolean, value: Uint8Array): Der {
  const parts = critical ? [TRUE] : [];
  return sequence(objectIdentifier(type), ...parts, octetString(value));
}

/** The extensions that are in use (RFC 5280, 4.2.1). */
export const extensions = {
  /** An authority whose certificates are all leaves. */
  authorityOfLeaves: (): Der =>
    extension("2.5.29.19", true, sequence(TRUE, integer(Uint8Array.of(0)))),
  /** No authority. */
  notAnAuthority: (): Der => extension("2.5.29.19", true, sequence()),
  /** The key signs certificates and nothing else. */
  signsCertificates: (): Der => extension("2.5.29.15", true, bitString(Uint8Array.of(0x04), 2)),
  /** The key signs handshakes and nothing else. */
  signsHandshakes: (): Der => extension("2.5.29.15", true, bitString(Uint8Array.of(0x80), 7)),
  /** The key is that of a TLS server. */
  forServers: (): Der =>
    extension("2.5.29.37", false, sequence(objectIdentifier("1.3.6.1.5.5.7.3.1"))),
  /** The key is that of a TLS client. */
  forClients: (): Der =>
    extension("2.5.29.37", false, sequence(objectIdentifier("1.3.6.1.5.5.7.3.2"))),
  subjectKey: (identifier: Uint8Array): Der =>
    extension("2.5.29.14", false, octetString(identifier)),
  authorityKey: (identifier: Uint8Array): Der =>
    extension("2.5.29.35", false, sequence(tagged(0x80, identifier))),
  /** The one host that the certificate is for. Critical where the subject is empty. */
  dnsName: (host: string, critical: boolean): Der =>
    extension("2.5.29.17", critical, sequence(tagged(0x82, new TextEncoder().encode(host)))),
  /** All names that the certificate is for, DNS names and addresses (4 or 16 bytes). */
  alternativeNames: (names: readonly (string | Uint8Array)[]): Der =>
    extension(
      "2.5.29.17",
      false,
      sequence(...names.map((name) =>
        typeof name === "string" ? tagged(0x82, new TextEncoder().encode(name)) : tagged(0x87, name)
      )),
    ),
  /** The one address that the certificate is for: 4 or 16 bytes. */
  ipAddress: (address: Uint8Array, critical: boolean): Der =>
    extension("2.5.29.17", critical, sequence(tagged(0x87, address))),
} as const;

/** PEM (RFC 7468) with its newline. */
export function pem(label: string, der: Uint8Array): string {
  const lines = der.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** RFC 5280, 4.1.2.2: positive and at most 20 octets. */
function randomSerial(): Uint8Array {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}
