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

/** The part of a TLS connection that is looked at. */
export type PeerSocket = Pick<TLSSocket, "authorized" | "getPeerCertificate">;

/**
 * Says who is at the other end, or why that is nobody to talk to. What TLS found
 * is looked at again: the list, the authorities and the time go on while a
 * connection lasts, and a resumed one was judged when it began.
 */
export function judgePeer(
  socket: PeerSocket,
  { allowList, clientCas }: Admission,
  nowMs: number,
): Result<Client, string> {
  const raw = socket.getPeerCertificate()?.raw;
  if (raw === undefined || raw.length === 0) return err("it sent no certificate");
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(raw);
  } catch {
    return err("its certificate cannot be read");
  }
  const names = namesOf(certificate);
  const name = names.names[0] ?? names.commonName ?? names.fingerprint;
  const who = JSON.stringify(name);
  if (!clientCas.some((ca) => isIssued(certificate, ca))) {
    return err(`the certificate of ${who} is of another authority`);
  }
  if (nowMs < Date.parse(certificate.validFrom)) {
    return err(`the certificate of ${who} is not valid yet`);
  }
  if (!(nowMs < Date.parse(certificate.validTo))) {
    return err(`the certificate of ${who} has expired`);
  }
  if (socket.authorized !== true) {
    return err(`the certificate of ${who} is not one for clients of TLS`);
  }
  if (allowList.revoked.has(names.fingerprint)) {
    return err(`the certificate of ${who} is revoked`);
  }
  const found = findClient(allowList, names);
  if (found === undefined) return err(`${who} is not on the list of clients`);
  return ok({ name, agents: found.agents });
}

function isIssued(certificate: X509Certificate, ca: X509Certificate): boolean {
  try {
    return certificate.checkIssued(ca) && certificate.verify(ca.publicKey);
  } catch {
    return false;
  }
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
