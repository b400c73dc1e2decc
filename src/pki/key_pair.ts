import { KEY_ALGORITHM } from "./certificate.ts";
import { integer, objectIdentifier, octetString, sequence } from "./der.ts";

/** Octets of a private number of P-256. */
const SCALAR_BYTES = 32;
/** Fewer than one random number in 2^31 is none of the curve's. */
const MOST_DRAWS = 4;

const ZERO = integer(Uint8Array.of(0));
const ONE = integer(Uint8Array.of(1));
const P256 = sequence(
  objectIdentifier("1.2.840.10045.2.1"), // id-ecPublicKey
  objectIdentifier("1.2.840.10045.3.1.7"), // secp256r1
);

/**
 * Makes a P-256 pair for signing; `isExtractable` concerns the private key.
 *
 * Not with `crypto.subtle.generateKey`: below it lies a generator that measures the processor for
 * 45 ms of CPU before its first number, which every start would wait for. Here the private number
 * comes from the generator that the rest of firma draws from, tested as FIPS 186-5, A.2.2 has it:
 * a draw that is not between 0 and the order of the curve is refused when it is imported.
 *
 * @throws {DOMException} When the platform takes no number that was drawn
 */
export async function generateKeyPair(isExtractable: boolean): Promise<CryptoKeyPair> {
  for (let draw = 1;; draw++) {
    const scalar = crypto.getRandomValues(new Uint8Array(SCALAR_BYTES));
    const encoded = encodePrivateKey(scalar);
    try {
      const known = await importPrivateKey(encoded, true);
      return {
        privateKey: isExtractable ? known : await importPrivateKey(encoded, false),
        publicKey: await publicKeyOf(known),
      };
    } catch (cause) {
      if (draw === MOST_DRAWS) throw cause;
    } finally {
      scalar.fill(0);
      encoded.fill(0);
    }
  }
}

/** PKCS #8 (RFC 5958) around an ECPrivateKey (RFC 5915) that leaves its public key out. */
function encodePrivateKey(scalar: Uint8Array): Uint8Array<ArrayBuffer> {
  return sequence(ZERO, P256, octetString(sequence(ONE, octetString(scalar))));
}

function importPrivateKey(
  encoded: Uint8Array<ArrayBuffer>,
  isExtractable: boolean,
): Promise<CryptoKey> {
  return crypto.subtle.importKey("pkcs8", encoded, KEY_ALGORITHM, isExtractable, ["sign"]);
}

async function publicKeyOf(privateKey: CryptoKey): Promise<CryptoKey> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const point: JsonWebKey = { kty, crv, x, y } as JsonWebKey;
  return await crypto.subtle.importKey("jwk", point, KEY_ALGORITHM, true, ["verify"]);
}
