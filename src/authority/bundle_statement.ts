import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import {
  type BundleStatement,
  BundleStatementSchema,
  type PolicyBundle as WireBundle,
  PolicyBundleSchema,
} from "../proto/firma/v1/bundle_pb.ts";

/** Keeps a signature over a statement from passing for one over anything else. */
const PURPOSE = Buffer.from("firma.v1.BundleStatement\0");
/** Lies between two files, so that a comment at the end of one does not reach into the next. */
const BETWEEN = Buffer.from("\n");

/** A statement about a bundle, as it is signed and sent. */
export interface SignedStatement {
  readonly statement: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** States a bundle and signs that with the Authority's Ed25519 key; `nowMs` is when it is so. */
export function signStatement(
  bundle: PolicyBundle,
  privateKey: KeyObject,
  nowMs: number,
): SignedStatement {
  const statement = toBinary(
    BundleStatementSchema,
    create(BundleStatementSchema, {
      version: bundle.version,
      revision: BigInt(bundle.revision),
      files: bundle.policies.map(({ file, text }) => ({
        name: file,
        size: Buffer.byteLength(text),
        sha256: sha256(text),
      })),
      schemaSha256: sha256(bundle.schema),
      mappingSha256: Uint8Array.fromHex(bundle.mappingDigest ?? ""),
      ttlMillis: BigInt(Math.round(bundle.ttlSeconds * 1000)),
      statedAt: timestampFromMs(nowMs),
    }),
  );
  const signature = sign(null, Buffer.concat([PURPOSE, statement]), privateKey);
  return { statement, signature: new Uint8Array(signature) };
}

/** A bundle as it travels, with a statement about it. */
export function wireBundle(bundle: PolicyBundle, signed: SignedStatement): WireBundle {
  const parts = bundle.policies.flatMap(({ text }, i) =>
    i === 0 ? [Buffer.from(text)] : [BETWEEN, Buffer.from(text)]
  );
  return create(PolicyBundleSchema, {
    version: bundle.version,
    policies: new Uint8Array(Buffer.concat(parts)),
    entitySchema: new TextEncoder().encode(bundle.schema),
    ttlSeconds: Math.ceil(bundle.ttlSeconds),
    statement: signed.statement,
    signature: signed.signature,
  });
}

/** What the Authority says of a bundle, once the signature is verified. */
export interface VerifiedStatement {
  readonly version: string;
  readonly revision: number;
  readonly ttlSeconds: number;
  /** Milliseconds since the epoch, by the Authority's clock. */
  readonly statedAtMs: number;
  readonly mappingDigest: string | undefined;
  readonly message: BundleStatement;
}

/** Reads a statement that the holder of `publicKey` (raw Ed25519, 32 bytes) signed, and no other. */
export function readStatement(
  { statement, signature }: { readonly statement: Uint8Array; readonly signature: Uint8Array },
  publicKey: Uint8Array,
): Result<VerifiedStatement> {
  if (statement.length === 0 || signature.length === 0) return refuse("it is not signed");
  if (!isSigned(Buffer.concat([PURPOSE, statement]), signature, publicKey)) {
    return refuse("its signature is not the Authority's");
  }
  let message: BundleStatement;
  try {
    message = fromBinary(BundleStatementSchema, statement);
  } catch {
    return refuse("its statement cannot be read");
  }
  const revision = Number(message.revision);
  const ttlSeconds = Number(message.ttlMillis) / 1000;
  if (!Number.isSafeInteger(revision) || !Number.isFinite(ttlSeconds) || !message.statedAt) {
    return refuse("its statement makes no sense");
  }
  return ok({
    version: message.version,
    revision,
    ttlSeconds,
    statedAtMs: timestampMs(message.statedAt),
    mappingDigest: message.mappingSha256.toHex() || undefined,
    message,
  });
}

/**
 * Reads a bundle of which every part is what its signed statement says.
 * `knownSchema` stands in where none is sent.
 */
export function readBundle(
  wire: WireBundle,
  publicKey: Uint8Array,
  knownSchema = "",
): Result<{ readonly bundle: PolicyBundle; readonly stated: VerifiedStatement }> {
  const stated = readStatement(wire, publicKey);
  if (!stated.ok) return stated;
  const { message, version, revision, ttlSeconds, mappingDigest } = stated.value;
  const policies: { file: string; text: string }[] = [];
  let at = 0;
  for (const { name, size, sha256: digest } of message.files) {
    if (policies.length > 0 && wire.policies[at++] !== BETWEEN[0]) {
      return refuse("between two policy files stands something else than a line feed");
    }
    const bytes = wire.policies.subarray(at, at + size);
    at += size;
    const text = decode(bytes);
    if (text === undefined || !equal(sha256(bytes), digest)) {
      return refuse(`policy file "${name}" is not what was signed`);
    }
    policies.push({ file: name, text });
  }
  const schema = wire.entitySchema.length === 0 ? knownSchema : decode(wire.entitySchema);
  if (schema === undefined || !equal(sha256(schema), message.schemaSha256)) {
    return refuse("its schema is not what was signed");
  }
  if (at !== wire.policies.length) return refuse("it holds more policies than were signed");
  const bundle = { revision, version, policies, schema, ttlSeconds };
  return ok({
    bundle: mappingDigest === undefined ? bundle : { ...bundle, mappingDigest },
    stated: stated.value,
  });
}

function isSigned(data: Uint8Array, signature: Uint8Array, publicKey: Uint8Array): boolean {
  try {
    const x = publicKey.toBase64({ alphabet: "base64url", omitPadding: true });
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    return verify(null, data, key, signature);
  } catch {
    return false;
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    // A byte order mark is kept: what is decided by is what was signed.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Names a schema. */
export function schemaDigest(schema: string): Uint8Array<ArrayBuffer> {
  return sha256(schema);
}

function sha256(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(createHash("sha256").update(data).digest());
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function refuse(state: string): Result<never, FirmaError> {
  return err({
    code: "POLICY_BUNDLE_INVALID",
    message: `Cannot use a policy bundle: ${state}`,
    cure: "check that the Sidecar has the public key of this Authority",
  });
}
