import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { err, ok, type Result } from "../../core/result.ts";
import { type AllowList, type CertificateNames, findClient } from "./allow_list.ts";
import type { Client } from "./client.ts";

/** By what connections are judged. */
export interface Admission {
  readonly allowList: AllowList;
  readonly clientCas: readonly X509Certificate[];
}

/** What is known of the other end of a connection, once and for all. */
export interface Peer extends CertificateNames {
  /** First of its names, else its common name, else its fingerprint. */
  readonly name: string;
  readonly certificate: X509Certificate;
  readonly validFromMs: number;
  readonly validToMs: number;
  /** Whether TLS found it to be a client's certificate, of an authority that it knew then. */
  readonly verified: boolean;
  /** Which authorities have issued it: finding that out takes longer than all else together. */
  readonly issuers: WeakMap<X509Certificate, boolean>;
}

/** Reads the certificate of a connection whose handshake is over. */
export function readPeer(socket: TLSSocket): Result<Peer, string> {
  const raw = socket.getPeerCertificate()?.raw;
  if (raw === undefined || raw.length === 0) return err("it sent no certificate");
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(raw);
  } catch {
    return err("its certificate cannot be read");
  }
  const names = namesOf(certificate);
  return ok({
    ...names,
    name: names.names[0] ?? names.commonName ?? names.fingerprint,
    certificate,
    validFromMs: Date.parse(certificate.validFrom),
    validToMs: Date.parse(certificate.validTo),
    verified: isVerified(socket),
    issuers: new WeakMap(),
  });
}

/**
 * Says who is at the other end, or why that is nobody to talk to. What TLS found
 * is looked at again: the list, the authorities and the time go on while a
 * connection lasts, and a resumed one was judged when it began.
 */
export function judgePeer(
  peer: Peer,
  { allowList, clientCas }: Admission,
  nowMs: number,
): Result<Client, string> {
  const who = JSON.stringify(peer.name);
  if (!clientCas.some((ca) => isIssued(peer, ca))) {
    return err(`the certificate of ${who} is of another authority`);
  }
  if (nowMs < peer.validFromMs) return err(`the certificate of ${who} is not valid yet`);
  if (!(nowMs < peer.validToMs)) return err(`the certificate of ${who} has expired`);
  if (!peer.verified) return err(`the certificate of ${who} is not one for clients of TLS`);
  if (allowList.revoked.has(peer.fingerprint)) {
    return err(`the certificate of ${who} is revoked`);
  }
  const found = findClient(allowList, peer);
  if (found === undefined) return err(`${who} is not on the list of clients`);
  return ok({ name: peer.name, ...found });
}

/**
 * What `authorized` says of sockets that a `tls.Server` made. `ssl` is not in Node's manual, and
 * nothing that is says it of others; without it nobody is let in.
 */
function isVerified(socket: TLSSocket): boolean {
  const { ssl } = socket as TLSSocket & { readonly ssl?: { verifyError?(): unknown } };
  return typeof ssl?.verifyError === "function" && !ssl.verifyError();
}

function isIssued({ certificate, issuers }: Peer, ca: X509Certificate): boolean {
  const known = issuers.get(ca);
  if (known !== undefined) return known;
  let issued = false;
  try {
    issued = certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  } catch { /* it is none that can be compared */ }
  issuers.set(ca, issued);
  return issued;
}

/** The names in a certificate. One that could be read in two ways counts as none. */
export function namesOf(certificate: X509Certificate): CertificateNames {
  const alternative = certificate.subjectAltName ?? "";
  const names = alternative.includes('"') ? [] : alternative.split(", ").flatMap((part) => {
    const match = /^(?:DNS|URI):(.+)$/.exec(part);
    return match ? [match[1]!] : [];
  });
  const common = certificate.subject.split("\n").filter((line) => line.startsWith("CN="));
  const commonName = common.length === 1 ? common[0]!.slice(3) : undefined;
  const fingerprint = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
  return { names, commonName, fingerprint };
}
