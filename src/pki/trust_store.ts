import {
  type Der,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  tagged,
} from "./der.ts";

const DATA = objectIdentifier("1.2.840.113549.1.7.1");
const CERTIFICATE_BAG = objectIdentifier("1.2.840.113549.1.12.10.1.3");
const X509_CERTIFICATE = objectIdentifier("1.2.840.113549.1.9.22.1");
/** Java's own attribute: without it a certificate is there but not trusted. */
const TRUSTED_KEY_USAGE = sequence(
  objectIdentifier("2.16.840.1.113894.746875.1.1"),
  setOf(objectIdentifier("2.5.29.37.0")), // for any purpose
);
const VERSION = integer(Uint8Array.of(3));

/**
 * A trust store as Java reads it: PKCS #12 (RFC 7292) with nothing but certificates, neither
 * encrypted nor under a password, because there is no secret in it. `certificates`: DER, each.
 */
export function trustStore(certificates: readonly Uint8Array[]): Der {
  const bags = certificates.map((certificate) =>
    sequence(
      CERTIFICATE_BAG,
      explicit(sequence(X509_CERTIFICATE, explicit(octetString(certificate)))),
      setOf(TRUSTED_KEY_USAGE),
    )
  );
  return sequence(VERSION, contentOf(sequence(contentOf(sequence(...bags)))));
}

/** `ContentInfo` of type data (RFC 2315, 7). */
function contentOf(data: Uint8Array): Der {
  return sequence(DATA, explicit(octetString(data)));
}

/** `[0] EXPLICIT` */
function explicit(value: Uint8Array): Der {
  return tagged(0xa0, value);
}
