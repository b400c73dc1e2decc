import * as x509 from "./x509.ts";
import { isIP } from "node:net";

/** A certificate for one host with its key, as `node:tls` takes them. */
export interface Leaf {
  /** The leaf, then the CA: what a server sends. */
  readonly certPem: string;
  /** PKCS#8. */
  readonly keyPem: string;
}

const HOUR_MS = 3_600_000;
const CA_LIFETIME_MS = 7 * 24 * HOUR_MS;
const LEAF_LIFETIME_MS = 24 * HOUR_MS;
/** Clients whose clock is behind ours must accept a certificate made just now. */
const BACKDATED_MS = HOUR_MS;
/** A cached leaf is replaced this long before it expires. */
const RENEW_BEFORE_MS = HOUR_MS;
const CACHE_CAPACITY = 1024;
/** RFC 5280, appendix A: upper bound of a common name. */
const COMMON_NAME_MAX = 64;

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const HOST = /^[a-z0-9_]([a-z0-9_.-]{0,251}[a-z0-9_])?$/;

interface CachedLeaf {
  readonly leaf: Promise<Leaf>;
  readonly renewAtMs: number;
}

/**
 * The certificate authority of one Sidecar run, which lets the Sidecar read the
 * TLS of the agents that trust it and of nobody else. Its key is made here,
 * cannot be exported, and is gone with the process.
 */
export class SessionCa {
  readonly certificatePem: string;
  readonly #certificate: x509.X509Certificate;
  readonly #keys: CryptoKeyPair;
  readonly #now: () => number;
  /** In order of use, oldest first. */
  readonly #cache = new Map<string, CachedLeaf>();

  private constructor(
    certificate: x509.X509Certificate,
    keys: CryptoKeyPair,
    now: () => number,
  ) {
    this.#certificate = certificate;
    this.#keys = keys;
    this.#now = now;
    this.certificatePem = `${certificate.toString("pem")}\n`;
  }

  /**
   * Makes a new authority, valid for seven days. It may sign leaves only: no
   * certificate below it can be an authority.
   *
   * @param now Milliseconds since the epoch; for tests
   */
  static async create(now: () => number = Date.now): Promise<SessionCa> {
    const keys = await crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
    const shortId = randomHex(4);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: randomSerial(),
      name: [{ CN: [`firma session CA ${shortId}`] }, { O: ["firma"] }],
      ...validity(now(), CA_LIFETIME_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new SessionCa(certificate, keys, now);
  }

  /**
   * The certificate of `host`, a canonical host name or an IP address without
   * brackets; made at the first call and again when it is about to expire.
   *
   * @throws {TypeError} When `host` is neither
   */
  leaf(host: string): Promise<Leaf> {
    const now = this.#now();
    const cached = this.#cache.get(host);
    this.#cache.delete(host);
    if (cached !== undefined && now < cached.renewAtMs) {
      this.#cache.set(host, cached);
      return cached.leaf;
    }
    const leaf = this.#issue(host, now);
    const entry = { leaf, renewAtMs: now - BACKDATED_MS + LEAF_LIFETIME_MS - RENEW_BEFORE_MS };
    this.#cache.set(host, entry);
    if (this.#cache.size > CACHE_CAPACITY) this.#cache.delete(this.#cache.keys().next().value!);
    // A failure is not remembered.
    leaf.catch(() => {
      if (this.#cache.get(host) === entry) this.#cache.delete(host);
    });
    return leaf;
  }

  async #issue(host: string, now: number): Promise<Leaf> {
    const isAddress = isIP(host) !== 0;
    if (!isAddress && !HOST.test(host)) {
      throw new TypeError(`Cannot make a certificate for "${host}": not a host name`);
    }
    const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const named = host.length <= COMMON_NAME_MAX;
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomSerial(),
      subject: named ? [{ CN: [host] }] : [],
      issuer: this.#certificate.subject,
      ...validity(now, LEAF_LIFETIME_MS),
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        // RFC 5280, 4.2.1.6: critical when the subject is empty.
        new x509.SubjectAlternativeNameExtension(
          [{ type: isAddress ? "ip" : "dns", value: host }],
          !named,
        ),
        await x509.AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    const key = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    return {
      certPem: `${certificate.toString("pem")}\n${this.certificatePem}`,
      keyPem: x509.PemConverter.encode(key, "PRIVATE KEY"),
    };
  }
}

function validity(now: number, lifetimeMs: number): { notBefore: Date; notAfter: Date } {
  const notBefore = now - BACKDATED_MS;
  return { notBefore: new Date(notBefore), notAfter: new Date(notBefore + lifetimeMs) };
}

function randomHex(bytes: number): string {
  return crypto.getRandomValues(new Uint8Array(bytes)).toHex();
}

/** RFC 5280, 4.1.2.2: positive and at most 20 octets. */
function randomSerial(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes.toHex();
}
