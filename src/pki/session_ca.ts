import { addressBytes } from "./address_bytes.ts";
import {
  BACKDATED_MS,
  COMMON_NAME_MAX,
  distinguishedName,
  extensions,
  keyIdentifier,
  pem,
  signCertificate,
} from "./certificate.ts";
import type { Der } from "./der.ts";
import { generateKeyPair } from "./key_pair.ts";

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
/** A cached leaf is replaced this long before it expires. */
const RENEW_BEFORE_MS = HOUR_MS;
const CACHE_CAPACITY = 1024;

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
  readonly #name: Der;
  readonly #keys: CryptoKeyPair;
  readonly #keyIdentifier: Uint8Array;
  readonly #now: () => number;
  /** In order of use, oldest first. */
  readonly #cache = new Map<string, CachedLeaf>();

  private constructor(
    certificate: Der,
    name: Der,
    keys: CryptoKeyPair,
    identifier: Uint8Array,
    now: () => number,
  ) {
    this.certificatePem = pem("CERTIFICATE", certificate);
    this.#name = name;
    this.#keys = keys;
    this.#keyIdentifier = identifier;
    this.#now = now;
  }

  /**
   * Makes a new authority, valid for seven days. It may sign leaves only: no
   * certificate below it can be an authority.
   *
   * @param now Milliseconds since the epoch; for tests
   */
  static async create(now: () => number = Date.now): Promise<SessionCa> {
    const keys = await generateKeyPair(false);
    const shortId = crypto.getRandomValues(new Uint8Array(4)).toHex();
    const name = distinguishedName(`firma session CA ${shortId}`, "firma");
    const identifier = await keyIdentifier(keys.publicKey);
    const certificate = await signCertificate({
      issuer: name,
      subject: name,
      ...validity(now(), CA_LIFETIME_MS),
      publicKey: keys.publicKey,
      extensions: [
        extensions.authorityOfLeaves(),
        extensions.signsCertificates(),
        extensions.subjectKey(identifier),
      ],
    }, keys.privateKey);
    return new SessionCa(certificate, name, keys, identifier, now);
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
    const address = addressBytes(host);
    if (address === undefined && !HOST.test(host)) {
      throw new TypeError(`Cannot make a certificate for "${host}": not a host name`);
    }
    const keys = await generateKeyPair(true);
    const named = host.length <= COMMON_NAME_MAX;
    const certificate = await signCertificate({
      issuer: this.#name,
      subject: distinguishedName(named ? host : undefined),
      ...validity(now, LEAF_LIFETIME_MS),
      publicKey: keys.publicKey,
      extensions: [
        extensions.notAnAuthority(),
        extensions.signsHandshakes(),
        extensions.forServers(),
        // RFC 5280, 4.2.1.6: critical when the subject is empty.
        address === undefined
          ? extensions.dnsName(host, !named)
          : extensions.ipAddress(address, !named),
        extensions.authorityKey(this.#keyIdentifier),
        extensions.subjectKey(await keyIdentifier(keys.publicKey)),
      ],
    }, this.#keys.privateKey);
    const key = new Uint8Array(await crypto.subtle.exportKey("pkcs8", keys.privateKey));
    return {
      certPem: pem("CERTIFICATE", certificate) + this.certificatePem,
      keyPem: pem("PRIVATE KEY", key),
    };
  }
}

function validity(now: number, lifetimeMs: number): { notBefore: number; notAfter: number } {
  const notBefore = now - BACKDATED_MS;
  return { notBefore, notAfter: notBefore + lifetimeMs };
}
