import { fromBinary, toBinary } from "@bufbuild/protobuf";
import type { PolicyBundle } from "../../../core/policy_bundle.ts";
import { err, FirmaException, type Result } from "../../../core/result.ts";
import type { SigningKey } from "../../../pki/signing_key.ts";
import {
  type PolicyBundle as WireBundle,
  PolicyBundleSchema,
} from "../../../proto/firma/v1/bundle_pb.ts";
import { readBundle, signStatement, wireBundle } from "../../bundle_statement.ts";

/**
 * A bundle as it lies in a store that others can write, signed: whoever can write
 * there still cannot say what agents may do.
 */
export function sealBundle(bundle: PolicyBundle, { privateKey }: SigningKey): Uint8Array {
  const signed = signStatement(bundle, privateKey, Date.now());
  return toBinary(PolicyBundleSchema, wireBundle(bundle, signed));
}

/**
 * Reads what {@linkcode sealBundle} made with the same key.
 *
 * @throws {FirmaException} `STORE_BUNDLE_FOREIGN`
 */
export function openBundle(sealed: Uint8Array, { publicKey }: SigningKey): PolicyBundle {
  const read = parse(sealed, publicKey);
  if (read.ok) return read.value.bundle;
  throw new FirmaException({
    code: "STORE_BUNDLE_FOREIGN",
    message: `Cannot use the policy bundle in the Authority's store: ${
      read.error.message.replace(/^[^:]*: /, "")
    }`,
    cure: "give every Authority of the store the same key_file",
  });
}

function parse(sealed: Uint8Array, publicKey: Uint8Array): ReturnType<typeof readBundle> {
  let wire: WireBundle;
  try {
    wire = fromBinary(PolicyBundleSchema, sealed);
  } catch {
    return damaged();
  }
  return readBundle(wire, publicKey);
}

function damaged(): Result<never> {
  return err({ code: "POLICY_BUNDLE_INVALID", message: "Cannot read it: it is damaged" });
}
